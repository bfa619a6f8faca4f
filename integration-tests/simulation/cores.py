"""The services without their sockets: put together as their `app.py` does."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from libs.runtime.access import AccessLane
from libs.runtime.directory import DirectoryReader
from libs.runtime.service import Loop, Ports
from libs.wire import frames
from libs.wire.codes import Problem
from libs.wire.frames import Beat
from services.chat.handlers import Posts
from services.chat.settings import Settings as ChatSettings
from services.chat.signals import Signals
from services.chat.window import Windows
from services.gateway.access import AccessMemory
from services.gateway.clients import Pages as GatewayPages
from services.gateway.hub import Hub as GatewayHub
from services.gateway.hub import Room, Waiter
from services.gateway.polls import Polls
from services.gateway.settings import Settings as GatewaySettings
from services.gateway.wake import Timers, Waker
from services.relay.consumers import Reconciler, SignalTail
from services.relay.feed import Link
from services.relay.handlers import Pages
from services.relay.hub import Hub
from services.relay.rings import Rings
from services.relay.settings import Settings as RelaySettings

from .links import Dial, PipedFeed

TICK_S = 1.0
BEAT_S = 1.0
# Rooms are left soon, so that most readers come to a room that has to be opened.
LINGER_S = 3.0
SMALL_RING_BYTES = 1 << 16


@dataclass(frozen=True)
class Chat:
    """A chat instance."""

    posts: Posts
    loops: Mapping[str, Loop]


@dataclass(frozen=True)
class Relay:
    """A relay."""

    pages: Pages
    link: partial[Link]
    reconciler: Reconciler
    loops: Mapping[str, Loop]


@dataclass(frozen=True)
class Gateway:
    """A gateway."""

    polls: Polls
    loops: Mapping[str, Loop]

    async def poll(self, user: str, channel: str, after: str, wait_s: float) -> bytes:
        """The answer to a long-poll. Raises `Problem`."""
        outcome = await self.polls.poll(user, channel, after)
        if isinstance(outcome, bytes):
            return outcome
        waiter = Parked(user, outcome.after)
        self.polls.park(outcome, waiter, wait_s)
        try:
            return await waiter.answered
        finally:
            self.polls.gone(waiter)


def chat(ports: Ports) -> Chat:
    """As `services/chat/app.py`."""
    settings = ChatSettings()
    directory = DirectoryReader(ports.log, ports.clock)
    signals = Signals(ports.log, waiting=settings.signals_waiting, in_flight=4)
    # Fewer windows than channels: they push each other out.
    windows = Windows(ports.log, ports.tasks, channels_max=2, keys_max=settings.window_keys)
    posts = Posts(ports, settings, directory=directory, windows=windows, signals=signals)
    return Chat(posts, {"directory": directory.run, "signals": signals.run})


def relay(ports: Ports) -> Relay:
    """As `services/relay/app.py`."""
    settings = RelaySettings(ring_bytes=SMALL_RING_BYTES)
    hub = Hub()
    directory = DirectoryReader(ports.log, ports.clock)
    rings = Rings(
        ports, directory, hub, bytes_max=settings.ring_bytes, reads_max=settings.reads_in_flight
    )
    signals = SignalTail(ports, rings)
    reconciler = Reconciler(ports, directory, rings=rings, hub=hub, per_s=settings.reconcile_per_s)

    async def beat() -> None:
        while True:
            await ports.clock.sleep(BEAT_S)
            hub.broadcast(frames.encode(Beat(reconciler.reconciled_ms)))

    loops: dict[str, Loop] = {
        "directory": directory.run,
        "signals": signals.run,
        "reconcile": reconciler.run,
        "beat": beat,
    }
    link = partial(Link, rings, hub, ports.tasks, settings)
    return Relay(Pages(rings, ports.tasks), link, reconciler, loops)


def gateway(ports: Ports, timers: Timers, wire: Dial) -> Gateway:
    """As `services/gateway/app.py`, without tokens."""
    settings = GatewaySettings(linger_s=LINGER_S)
    hub = GatewayHub(now_s=ports.clock.monotonic(), ring_bytes=settings.ring_bytes)
    access = AccessMemory(
        AccessLane(ports, settings.relay_s),
        ports.clock,
        yes_s=settings.access_remembered_s,
        most=settings.access_memory,
    )

    def straggle(room: Room, waiter: Waiter) -> None:
        ports.tasks.spawn(polls.catch_up(room, waiter), name="straggler")

    feed = PipedFeed(ports, hub, Waker(hub, timers, straggle), settings, wire=wire)
    pages = GatewayPages(ports, settings.relay_s)
    polls = Polls(ports, hub, access=access, feed=feed, pages=pages)

    async def tick() -> None:
        while True:
            await ports.clock.sleep(TICK_S)
            now_s = ports.clock.monotonic()
            hub.expire(now_s)
            for room in hub.idle(now_s, settings.linger_s):
                feed.unwatch(room)
            hub.trim()

    return Gateway(polls, {"feed": feed.run, "tick": tick})


class Parked(Waiter):
    """A waiter whose answer a request waits for."""

    __slots__ = ("answered",)

    def __init__(self, user: str, after: int) -> None:
        super().__init__(user, after)
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def answer(self, body: bytes) -> None:
        """See `Waiter`."""
        if not self.answered.done():
            self.answered.set_result(body)

    def refuse(self, problem: Problem) -> None:
        """See `Waiter`."""
        if not self.answered.done():
            self.answered.set_exception(problem)
