"""The one door to requests: which gateway, which token, what an answer means, when to ask again."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import aiohttp
import msgspec

from rostrum.session import Session, SessionStore

T = TypeVar("T")

# How long a question is asked again before it is given up.
ASK_S = 30.0
# How long one attempt may take: gateways give up on a service after 6 s.
ANSWER_S = 15.0


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """What was answered: HTTP status, and the body as what was asked for. `limited_s` is how long
    a limit made the question wait, the last time that it did; None when it did not."""

    status: int
    value: T
    limited_s: float | None = None


class Http:
    """Asks gateways. Enter it before use; leaving it closes its connections.

    All methods raise `Refused`, `TryAgain`, `OutcomeUnknown`, `Unreachable` and `SignedOut`.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        session: Session | None = None,
        sessions: SessionStore | None = None,
        user_agent: str,
    ) -> None:
        raise NotImplementedError

    @property
    def raw(self) -> aiohttp.ClientSession:
        """For what is no question and answer: WebSocket and events. Give it whole addresses
        (`gateway()` + path) and the token."""
        raise NotImplementedError

    def gateway(self) -> str:
        """The address of the gateway that is asked now, such as `http://localhost:8080`."""
        raise NotImplementedError

    def leave(self, gateway: str) -> None:
        """That one is away or goes away: ask another one from now on, if there is one."""
        raise NotImplementedError

    async def token(self, *, refused: str | None = None) -> str:
        """An access token that holds, renewed when it is about to expire or is the one that was
        `refused`. Many may ask at once: it is renewed once."""
        raise NotImplementedError

    async def ask(
        self,
        method: str,
        path: str,
        shape: type[T],
        *,
        body: Mapping[str, Any] | None = None,
        again: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        within_s: float = ASK_S,
        answer_s: float = ANSWER_S,
        is_open: bool = False,
    ) -> Answer[T]:
        """Ask until it is answered, `within_s` seconds at most, an attempt `answer_s`.

        `shape` is what the answer's JSON is read as, `type(None)` for none. `again` is added to
        the body once an earlier attempt may have been done. `is_open`: without a token."""
        raise NotImplementedError

    async def once(
        self,
        method: str,
        path: str,
        shape: type[T],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        answer_s: float = ANSWER_S,
        is_open: bool = False,
    ) -> Answer[T]:
        """The same with one attempt at `gateway()`, for those who wait and choose themselves. An
        expired token is renewed and does not count. A connection that could not be made is
        `Unreachable`, one that broke is `OutcomeUnknown`."""
        raise NotImplementedError
