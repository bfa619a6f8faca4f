"""One follower, in a process of its own. It imports the client alone: hundreds of these run."""

import asyncio
import time
from array import array
from dataclasses import dataclass
from multiprocessing.connection import Connection

from libs.runtime.clock import SystemClock
from rostrum import Client, Cursor, Message, Received, RostrumError, Session

# How often it is looked whether the connection is open, before the first entry.
OPEN_EVERY_S = 0.02


@dataclass(frozen=True)
class Order:
    """Follow `channel` from `cursor` by `way`, as who `token` says."""

    url: str
    token: str
    channel: str
    cursor: str
    way: str


@dataclass(frozen=True)
class Until:
    """The last id, and how many seconds it is waited for."""

    last: int
    within_s: float


@dataclass(frozen=True)
class Log:
    """What came: ids of messages and how late each was (in milliseconds since its append), as
    arrays of type `q`; `cpu_s`: what the process took of a core from the first entry on; `trouble`:
    why it is not all."""

    ids: bytes
    late_ms: bytes
    cpu_s: float = 0.0
    trouble: str = ""


class Follower:
    """Follows until it has what the other end of `pipe` says, tells that it is open, and what it
    got. It ends when the other end does."""

    def __init__(self, order: Order, pipe: Connection) -> None:
        self._order = order
        self._pipe = pipe
        self._now_ms = SystemClock().now_ms
        self._ids = array("q")
        self._late_ms = array("q")
        self._last = Cursor.of(order.cursor).id
        self._until: int | None = None
        self._is_over = asyncio.Event()
        self._trouble = ""
        self._cpu_s = 0.0

    async def run(self) -> None:
        """Follow to the end, and tell."""
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._hear)
        try:
            async with asyncio.TaskGroup() as group:
                following = group.create_task(self._follow())
                await self._is_over.wait()
                following.cancel()
        except* RostrumError as faults:
            self._trouble = f"{type(faults.exceptions[0]).__name__}: {faults.exceptions[0]}"
        cpu_s = time.process_time() - self._cpu_s
        self._pipe.send(Log(self._ids.tobytes(), self._late_ms.tobytes(), cpu_s, self._trouble))

    async def _follow(self) -> None:
        order = self._order
        async with (
            Client(order.url, session=Session.of_token(order.token)) as client,
            client.follow({order.channel: order.cursor}, ways=[order.way]) as follower,
        ):
            while not follower.is_connected:  # noqa: ASYNC110 - it tells nobody when it is
                await asyncio.sleep(OPEN_EVERY_S)
            self._pipe.send(None)
            self._cpu_s = time.process_time()
            async for event in follower:
                if not isinstance(event, Received):
                    self._trouble = f"it was told {type(event).__name__.lower()}"
                    continue
                entry = event.entry
                if isinstance(entry, Message):
                    self._ids.append(entry.id)
                    self._late_ms.append(self._now_ms() - round(entry.at.timestamp() * 1000))
                self._last = entry.id
                if self._until is not None and self._last >= self._until:
                    self._is_over.set()

    def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            until: Until = self._pipe.recv()
        except EOFError:
            loop.remove_reader(self._pipe.fileno())
            self._is_over.set()
            return
        self._until = until.last
        loop.call_later(until.within_s, self._is_over.set)
        if self._last >= until.last:
            self._is_over.set()


def follow(order: Order, pipe: Connection) -> None:
    """A process's whole work."""
    try:
        asyncio.run(Follower(order, pipe).run())
    except (KeyboardInterrupt, BrokenPipeError):
        # Whoever started it ends, and has heard enough.
        return
