"""The services without their sockets: put together as their `app.py` does."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from libs.runtime.access import AccessLane
from libs.runtime.directory import DirectoryReader
from libs.runtime.service import Loop, Ports
from libs.wire import cursor as cursors
from libs.wire import frames
from libs.wire.api import PostBatch, PostItem, PostReplies, PostReply
from libs.wire.codec import Struct, from_json, to_json
from libs.wire.codes import Problem
from libs.wire.frames import Beat
from services.chat.access import AccessMemory as ChatAccess
from services.chat.handlers import Posts
from services.chat.model import Post
from services.chat.settings import Settings as ChatSettings
from services.chat.signals import Signals
from services.gateway.access import AccessMemory
from services.gateway.clients import Pages as GatewayPages
from services.gateway.hub import Hub as GatewayHub
from services.gateway.hub import Poller, Room, Waiter
from services.gateway.lanes import PostLanes
from services.gateway.polls import Polls, Saying
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


class NewMessage(Struct, frozen=True):
    """The body of a post."""

    client_id: str
    text: str
    retry: bool = False


class Posted(Struct, frozen=True):
    """Where a message stands."""

    id: int
    cursor: str
    at: str


@dataclass(frozen=True)
class Chat:
    """A chat instance."""

    posts: Posts
    loops: Mapping[str, Loop]

    async def batch(self, batch: PostBatch) -> PostReplies:
        """As the route of batches."""
        replies = await asyncio.gather(*map(self._reply, batch.posts))
        return PostReplies(tuple(replies))

    async def _reply(self, item: PostItem) -> PostReply:
        body = from_json(item.body, NewMessage)
        post = Post(item.channel, item.user, body.client_id, body.text, retry=body.retry)
        try:
            outcome = await self.posts.post(post)
        except Problem as fault:
            return PostReply(fault.code.status, to_json(fault.document("")), fault.retry_after_s)
        told = Posted(outcome.cursor.id, str(outcome.cursor), outcome.at)
        return PostReply(201 if outcome.is_new else 200, to_json(told))


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
    lanes: PostLanes
    loops: Mapping[str, Loop]

    async def poll(self, user: str, channel: str, after: str, wait_s: float) -> bytes:
        """The answer to a long-poll. Raises `Problem`."""
        waiter = Parked(user)
        found = await self.polls.ask(user, channel, cursors.parse(after))
        if isinstance(found, Saying):
            found.room.say(waiter, found.answer)
            return await waiter.answered
        self.polls.park(found, waiter, wait_s)
        try:
            return await waiter.answered
        finally:
            self.polls.gone(waiter)


def chat(ports: Ports) -> Chat:
    """As `services/chat/app.py`."""
    # Fewer windows than channels: they push each other out.
    settings = ChatSettings(window_channels=1)
    directory = DirectoryReader(ports.log, ports.clock)
    signals = Signals(
        ports.log, waiting=settings.signals_waiting, in_flight=settings.signals_in_flight
    )
    access = ChatAccess(ports, settings)
    posts = Posts(ports, settings, access=access, directory=directory, signals=signals)
    loops: dict[str, Loop] = {
        "directory": directory.run,
        "signals": signals.run,
        "access": access.changes.run,
    }
    return Chat(posts, loops)


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
        kept_s=settings.access_kept_s,
        most=settings.access_memory,
    )

    def straggle(room: Room, waiter: Waiter) -> None:
        ports.tasks.spawn(polls.catch_up(room, waiter), name="straggler")

    feed = PipedFeed(ports, hub, Waker(hub, timers, straggle), settings, wire=wire)
    pages = GatewayPages(ports, settings.relay_s)
    polls = Polls(ports, hub, access=access, feed=feed, pages=pages)
    lanes = PostLanes(
        ports, access, deadline_s=settings.forward_s, waiting_max=settings.posts_waiting
    )

    async def tick() -> None:
        while True:
            await ports.clock.sleep(TICK_S)
            now_s = ports.clock.monotonic()
            hub.expire(now_s)
            for room in hub.idle(now_s, settings.linger_s):
                feed.unwatch(room)
            hub.trim()

    return Gateway(polls, lanes, {"feed": feed.run, "tick": tick})


class Parked(Poller):
    """A waiter whose answer a request waits for."""

    __slots__ = ("answered",)

    def __init__(self, user: str) -> None:
        super().__init__(user, 0)
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def tell(self, body: bytes) -> None:
        """See `Waiter`."""
        if not self.answered.done():
            self.answered.set_result(body)

    def refuse(self, problem: Problem) -> None:
        """See `Waiter`."""
        if not self.answered.done():
            self.answered.set_exception(problem)
