"""Feed, hub, polls and watches around a log in memory, without sockets: one seed, one history."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from libs.runtime.access import AccessLane
from libs.runtime.service import Ports
from libs.testing.clock import VirtualClock
from libs.wire.api import Access, Page
from libs.wire.codec import to_json
from libs.wire.codes import Problem
from libs.wire.cursor import Cursor, parse
from libs.wire.frames import Appended, Snapshot, ToGateway, Watch, encode, to_relay
from libs.wire.streams import FromGateway
from services.gateway.access import AccessMemory
from services.gateway.answers import Form
from services.gateway.clients import Pages
from services.gateway.feed import Feed
from services.gateway.hub import Hub, Poller, Room, Waiter
from services.gateway.polls import Polls
from services.gateway.settings import Settings
from services.gateway.streams.watch import Watch as Follower
from services.gateway.tests.fakes import SNAPSHOT, ChannelLog
from services.gateway.tests.listeners import entries
from services.gateway.tests.surroundings import surroundings
from services.gateway.wake import Waker

CHANNELS = tuple("0" * 25 + str(number) for number in (1, 2))
RING_BYTES = 6_000
ADDRESSES = {"relay": ("http://relay",)}


class Yes(AccessLane):
    """Everybody may read."""

    async def ask(self, user: str, channel: str) -> Access:
        await asyncio.sleep(0)
        return Access(user, channel, role=None, may_read=True, epoch=1)


class LogPages(Pages):
    """Pages of a log in memory."""

    logs: dict[str, ChannelLog]

    async def read(self, access: Access, first: int, limit: int) -> Page:
        await asyncio.sleep(0)
        log = self.logs[access.channel]
        found = log.between(first, first + limit - 1)
        return Page(access.channel, log.epoch, log.head, log.first, found)


class Link:
    """The gateway's end of a link to a relay that answers when it is told to."""

    def __init__(self, logs: dict[str, ChannelLog]) -> None:
        self._logs = logs
        self._wishes: list[str] = []
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(self, message: bytes) -> None:
        frame = to_relay(message)
        if isinstance(frame, Watch):
            self._wishes.append(frame.channel)

    async def recv(self, decode: Literal[False]) -> bytes:
        return await self._frames.get()

    def tell(self, frame: ToGateway) -> None:
        self._frames.put_nowait(encode(frame))

    def answer(self) -> None:
        """A snapshot for each channel that was watched."""
        for channel in self._wishes:
            log = self._logs[channel]
            newest = log.between(log.head - SNAPSHOT + 1, log.head)
            self.tell(Snapshot(channel, log.epoch, log.head, log.first, newest))
        self._wishes.clear()


class LinkedFeed(Feed):
    """A feed over one link."""

    link: Link

    @asynccontextmanager
    async def dial(self, address: str) -> AsyncIterator[Link]:
        yield self.link


class Place:
    """Where a listener is. What it is told must begin there, or say where it goes on."""

    def __init__(self, cursor: Cursor | None) -> None:
        self.cursor = cursor
        self.has_ended = False

    def hear(self, told: dict[str, Any]) -> None:
        assert not self.has_ended, told
        goes_on = parse(told["cursor"]) if "cursor" in told else self.cursor
        kind = told.get("type", "entries")
        if "jump" in told or "reset" in told or kind in ("jump", "reset"):
            self.cursor = goes_on
        elif kind == "entries":
            self._read(told["entries"])
            assert self.cursor in (goes_on, None), told
        elif kind == "behind":
            assert self.cursor == goes_on, told
        self.cursor = goes_on if self.cursor is None else self.cursor
        assert kind != "watched" or self.cursor == goes_on, told
        self.has_ended = kind in ("behind", "unwatched")

    def _read(self, found: list[dict[str, Any]]) -> None:
        for each in found:
            assert self.cursor is not None
            assert each["id"] == self.cursor.id + 1, (each, self.cursor)
            self.cursor = Cursor(self.cursor.epoch, each["id"])


class Reader:
    """A stream of one channel with room for a few frames, as often as the seed says."""

    form = Form.JSON

    def __init__(self, chance: random.Random, place: Place) -> None:
        self.place = place
        self.fullness = 0.0
        self._chance = chance
        self._has_room = asyncio.Event()
        self._has_room.set()

    def put(self, watch: Follower, body: bytes) -> bool:
        if self._chance.random() < self.fullness:
            return False
        self.place.hear(json.loads(body))
        return True

    def say(self, frame: FromGateway) -> None:
        self.place.hear(json.loads(to_json(frame)))

    def forget(self, watch: Follower) -> None:
        watch.is_gone = True
        if watch.room is not None:
            watch.room.unseat(watch)
            assert watch.peers is not None
            watch.peers.remove(watch)

    def stall(self) -> None:
        self._has_room.clear()

    def go_on(self) -> None:
        self._has_room.set()

    @property
    def is_ready(self) -> bool:
        return self._has_room.is_set()

    async def ready(self) -> bool:
        if self._has_room.is_set():
            return True
        await self._has_room.wait()
        return False


class Poll(Poller):
    """One poll."""

    __slots__ = ("reads", "was_told")

    def __init__(self, place: Place) -> None:
        super().__init__("poll", 0)
        self.reads = place
        self.was_told = False

    def tell(self, body: bytes) -> None:
        assert not self.was_told
        self.was_told = True
        self.reads.hear(json.loads(body))

    def refuse(self, problem: Problem) -> None:
        self.was_told = True


class Flow:
    """The gateway's parts between a log and its listeners."""

    def __init__(self, ports: Ports, clock: VirtualClock) -> None:
        self.clock = clock
        self.tasks = ports.tasks
        self.logs = {name: ChannelLog(head=10, epoch=1, first=1) for name in CHANNELS}
        self.hub = Hub(now_s=0.0, ring_bytes=RING_BYTES)
        access = AccessMemory(Yes(ports, 1.0), clock, yes_s=60, kept_s=600, most=100)
        loop = asyncio.get_running_loop()
        self.waker = Waker(self.hub, loop, self._straggle)
        self.feed = LinkedFeed(ports, self.hub, self.waker, Settings())
        self.link = self.feed.link = Link(self.logs)
        pages = LogPages(ports, 1.0)
        pages.logs = self.logs
        self.polls = Polls(ports, self.hub, access=access, feed=self.feed, pages=pages)

    def append(self, channel: str, count: int, *, is_told: bool) -> None:
        log = self.logs[channel]
        more = entries(log.head + 1, log.head + count)
        log.entries.extend(more)
        if is_told:
            self.link.tell(Appended(channel, log.epoch, more))

    def begin_anew(self, channel: str, head: int) -> None:
        """Another epoch, of which the gateway is told at once."""
        log = ChannelLog(head=head, epoch=self.logs[channel].epoch + 1, first=1)
        self.logs[channel] = log
        newest = log.between(log.head - SNAPSHOT + 1, log.head)
        self.link.tell(Snapshot(channel, log.epoch, log.head, log.first, newest))

    def follow(self, waiter: Waiter, channel: str, cursor: Cursor | None) -> None:
        until_s = None if waiter.stays else self.clock.monotonic() + 25
        self.tasks.spawn(self.polls.follow(waiter, channel, cursor, until_s), name="follow")

    def _straggle(self, room: Room, waiter: Waiter) -> None:
        self.tasks.spawn(self.polls.catch_up(room, waiter), name="straggle")


@asynccontextmanager
async def flowing() -> AsyncIterator[Flow]:
    clock = VirtualClock()
    async with surroundings(clock, ADDRESSES) as ports:
        flow = Flow(ports, clock)
        feeding = ports.tasks.spawn(flow.feed.run(), name="feed")
        try:
            yield flow
        finally:
            feeding.cancel()
