"""Clients that follow channels at several gateways, as clients should: what breaks is taken up
again elsewhere, with the cursor. The ways themselves are in `polling` and `streaming`."""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar

import httpx
from websockets.exceptions import WebSocketException

from harness.notebook import Notebook
from harness.people import Person
from libs.wire.codes import CODES

# A break is no reason for all to come back in the same moment.
JITTER_S = 0.1
# However long a gateway says: a test does not wait for it.
AGAIN_S_MAX = 5.0
# Beyond the longest park of a poll, or the beats of a stream.
SILENCE_S = 40.0
TRY_AGAIN = frozenset({429, 500, 503})
ENDS = frozenset({403, 404})
NO_TOKEN = 401
# Making one reads the certificates of the system, which takes longer than a poll.
_CONTEXT = httpx.create_ssl_context(verify=False)


class Away(Exception):
    """Come again, elsewhere, after so long."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"after {after_s} s")
        self.after_s = min(after_s, AGAIN_S_MAX)


BREAKS = (Away, OSError, EOFError, httpx.TransportError, WebSocketException)


class Listener(ABC):
    """One client, one connection at a time, at whichever of `gateways`."""

    way: ClassVar[str]

    def __init__(
        self, person: Person, gateways: Sequence[str], cursors: Mapping[str, str], *, seed: object
    ) -> None:
        self.person = person
        self.notes = Notebook(cursors)
        # Whoever is not awake reads nothing, and keeps its connection.
        self.awake = asyncio.Event()
        self.awake.set()
        # When this client was asked to go elsewhere (monotonic s).
        self.moves: list[float] = []
        self.gateway = ""
        self._gateways = list(gateways)
        self._dice = random.Random(str(seed))
        self._is_over = asyncio.Event()
        self._connection: asyncio.Task[None] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Who listens."""
        return {"authorization": f"Bearer {self.person.token}"}

    async def follow(self) -> None:
        """Until it is over, or nothing is left to follow."""
        while self.notes.is_open and not self._is_over.is_set():
            self.gateway = self._next()
            self._connection = asyncio.ensure_future(self.connected(self.gateway))
            try:
                await asyncio.wait({self._connection})
            finally:
                self._connection.cancel()
                await asyncio.wait({self._connection})
            await self.pause(self._after_s(self._connection) + self._dice.uniform(0, JITTER_S))

    @abstractmethod
    async def connected(self, gateway: str) -> None:
        """Follow over one connection for as long as it lasts. Raises `BREAKS`."""

    def break_now(self) -> None:
        """The connection breaks, wherever it is."""
        if self._connection is not None and not self._connection.done():
            self.notes.told["broken"] += 1
            self._connection.cancel()

    def stop(self) -> None:
        """It is over."""
        self._is_over.set()
        if self._connection is not None:
            self._connection.cancel()

    async def answered(self, http: httpx.AsyncClient, answer: dict[str, Any]) -> None:
        """What a poll says of one channel. Raises `Away` when the gateway drains."""
        channel = answer["channel"]
        if "problem" in answer:
            self.refused(answer["problem"], channel)
        elif "reset" in answer:
            self.notes.told["reset"] += 1
            self.notes.reset(channel, answer["cursor"])
        elif "jump" in answer:
            await self.jump(http, channel, answer["cursor"])
        elif "drain" in answer:
            self.notes.here(channel, answer["cursor"])
            self.move(answer["drain"]["reconnect_after_ms"])
        else:
            self.notes.take(channel, answer["entries"], answer["cursor"])

    async def jump(self, http: httpx.AsyncClient, channel: str, cursor: str) -> None:
        """Too far behind: what is in between is read by pages, as by somebody who scrolls up."""
        self.notes.told["jump"] += 1
        notes = self.notes[channel]
        until = int(cursor.partition("-")[2])
        while notes.place.id < until:
            path = f"/v1/channels/{channel}/messages"
            query = {"after": notes.place.id, "limit": min(100, until - notes.place.id)}
            page = self.read(await http.get(path, params=query), channel)
            self.notes.take(channel, page["entries"], page["cursor"])

    async def pull(self, http: httpx.AsyncClient, channel: str, until: int) -> None:
        """Read by polls up to an id, as one does who was `behind`."""
        while self.notes[channel].place.id < until:
            query = {"after": str(self.notes[channel].place), "wait": "0"}
            reply = await http.get(f"/v1/channels/{channel}/poll", params=query)
            await self.answered(http, self.read(reply, channel))

    def move(self, after_ms: int) -> None:
        """The gateway drains. Raises `Away`."""
        self.notes.told["drain"] += 1
        self.moves.append(time.monotonic())
        raise Away(after_ms / 1000)

    def read(self, reply: httpx.Response, channel: str | None = None) -> dict[str, Any]:
        """The body of an answer. Raises `Away` when it is none."""
        told: dict[str, Any] = reply.json()
        if reply.is_success:
            return told
        self.refused(told, channel, reply.headers.get("retry-after"))
        raise Away(0)

    def refused(
        self, problem: Mapping[str, Any], channel: str | None, again: str | None = None
    ) -> None:
        """A problem, of a channel or of all. Raises `Away` for what may work elsewhere."""
        code = problem["code"]
        status = CODES[code].status
        if status in TRY_AGAIN:
            self.notes.told[code] += 1
            raise Away(float(again or 0))
        if status == NO_TOKEN:
            self.notes.end_all(code)
        elif status in ENDS and channel is not None:
            self.notes.end(channel, code)
        else:
            self.notes.fault(f"{self.way} at {self.notes.cursors}: {problem}")

    async def pause(self, seconds: float) -> None:
        """Wait, unless it is over before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_over.wait()

    def _next(self) -> str:
        others = [each for each in self._gateways if each != self.gateway]
        return self._dice.choice(others or self._gateways)

    def _after_s(self, connection: "asyncio.Task[None]") -> float:
        if connection.cancelled():
            return 0.0
        fault = connection.exception()
        if fault is not None and not isinstance(fault, BREAKS):
            raise fault
        if isinstance(fault, Away):
            return fault.after_s
        self.notes.told["lost" if fault else "ended"] += 1
        return 0.0


def http_client(gateway: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """A client of one connection or a few."""
    return httpx.AsyncClient(
        base_url=gateway,
        headers=dict(headers),
        timeout=SILENCE_S,
        transport=httpx.AsyncHTTPTransport(verify=_CONTEXT),
        trust_env=False,
    )


@asynccontextmanager
async def listening(listeners: Sequence[Listener]) -> AsyncIterator[None]:
    """They follow meanwhile."""
    async with asyncio.TaskGroup() as group:
        for each in listeners:
            group.create_task(each.follow())
        try:
            yield
        finally:
            for each in listeners:
                each.stop()
