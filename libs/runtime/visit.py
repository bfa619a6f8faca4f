"""Asking a deployment's listeners from outside, as an operator does: health, metrics, keys."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import httpx

from libs.runtime import metrics
from libs.runtime.clock import Clock
from libs.runtime.metrics import Sample
from libs.wire.codec import Malformed, Struct, from_json

T = TypeVar("T", bound=Struct)

# A listener answers within milliseconds; one that needs longer than this is looked at as away.
ANSWER_S = 3.0
# Operators ask one machine after the other, over networks; a connection that needs longer is none.
CONNECT_S = 2.0


class Away(Exception):
    """A listener does not answer, or with something else than ours do: why, for people."""


class Health(NamedTuple):
    """What an instance says: what it lacks, by service, and how its clock differs from ours.
    `ahead_ms` is right up to `unsure_ms`, half of what the question took."""

    lacks: Mapping[str, Sequence[str]]
    ahead_ms: float | None
    unsure_ms: float

    @property
    def is_ready(self) -> bool:
        """Whether it lacks nothing."""
        return not any(self.lacks.values())


class _Ready(Struct, frozen=True):
    ready: bool
    lacks: dict[str, list[str]]
    at_ms: int | None = None


class _Keys(Struct, frozen=True):
    keys: list[dict[str, str]]


class _Answer(NamedTuple):
    body: bytes
    began_ms: int
    took_ms: float


class Visitor:
    """Asks; enter it to open, leave it to close its connections."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Not through the environment's proxy: what is asked is not for its eyes.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S), trust_env=False
        )

    async def __aenter__(self) -> "Visitor":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def health(self, admin_url: str) -> Health:
        """What the instance with this admin listener lacks. Raises `Away`."""
        answer = await self._ask(f"{admin_url}/health/ready", 200, 503)
        said = _parsed(answer, _Ready, admin_url)
        middle_ms = answer.began_ms + answer.took_ms / 2
        ahead_ms = None if said.at_ms is None else said.at_ms - middle_ms
        return Health(said.lacks, ahead_ms, answer.took_ms / 2)

    async def metrics(self, admin_url: str) -> Sequence[Sample]:
        """The metrics of ours that the instance shows. Raises `Away`."""
        answer = await self._ask(f"{admin_url}/metrics", 200)
        try:
            return metrics.parsed(answer.body.decode())
        except ValueError as fault:
            raise Away(f"{admin_url} shows no metrics: {fault}") from fault

    async def keys(self, gateway_url: str) -> frozenset[str]:
        """The ids of the keys whose tokens the gateway takes. Raises `Away`."""
        answer = await self._ask(f"{gateway_url}/v1/keys", 200)
        return frozenset(key.get("kid", "") for key in _parsed(answer, _Keys, gateway_url).keys)

    async def _ask(self, url: str, *statuses: int) -> _Answer:
        began_ms, began_s = self._clock.now_ms(), self._clock.monotonic()
        try:
            reply = await self._client.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise Away(f"{url} does not answer ({_why(fault)})") from fault
        if reply.status_code not in statuses:
            raise Away(f"{url} answers {reply.status_code}")
        return _Answer(reply.content, began_ms, (self._clock.monotonic() - began_s) * 1000)


def _parsed(answer: _Answer, kind: type[T], url: str) -> T:
    try:
        return from_json(answer.body, kind)
    except Malformed as fault:
        raise Away(f"what listens at {url} is not of this suite: {fault}") from fault


def _why(fault: Exception) -> str:
    return str(fault) or type(fault).__name__
