"""Looking a post up says nothing about it unless it is going to be written."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import pytest

from libs.log.faults import FaultyLog, Script
from libs.log.port import Appended, Ends, Log, Partition
from libs.testing.eventually import eventually
from libs.wire.fold import WINDOW
from services.chat.flights import Flight
from services.chat.lookup import Lookup
from services.chat.model import Post
from services.chat.settings import Settings
from services.chat.store import Hints
from services.chat.tests.instance import ANNA, BEN, CHANNEL, HOME, PARTITION, SOON_S, append, ports
from services.chat.tests.redis import WatchedRedis
from services.chat.turns import Turns
from services.chat.window import ChannelWindow

KEY = f"chat:post:{CHANNEL}:{ANNA}:c1"


class Looking:
    """A lookup over a channel, and the flights that ask it."""

    def __init__(self, lookup: Lookup, channel: ChannelWindow, redis: WatchedRedis) -> None:
        self.lookup = lookup
        self.channel = channel
        self.redis = redis

    def flight(self, *, earlier: bool = False) -> Flight:
        post = Post(CHANNEL, ANNA, "c1", "hello")
        return Flight(post, Turns().take(CHANNEL), earlier=earlier)

    async def find(self, flight: Flight, *, claims: bool = True) -> int | None:
        known = await self.lookup.find(flight, self.channel, claims=claims)
        return known.id if known is not None else None


@asynccontextmanager
async def looking(log: Log) -> AsyncIterator[Looking]:
    redis = WatchedRedis()
    async with asyncio.TaskGroup() as group:
        hints = Hints(ports(log, group, store=redis.as_redis()), Settings())
        channel = ChannelWindow(log, HOME)
        await channel.refresh()
        yield Looking(Lookup(hints, ChannelWindow.settle), channel, redis)


class Unseen(FaultyLog):
    """What is in the log is not to be seen before something is appended through here."""

    def __init__(self, inner: Log) -> None:
        super().__init__(inner, Script())
        self._is_seen = False

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        appended = await super().append(partition, value, key=key)
        self._is_seen = True
        return appended

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        ends = await super().ends(partitions)
        return ends if self._is_seen else dict.fromkeys(ends, Ends(0, 0))


async def size(log: Log) -> int:
    return (await log.ends([PARTITION]))[PARTITION].next


async def test_who_only_looks_leaves_no_hint(log: Log) -> None:
    async with looking(log) as it:
        assert await it.find(it.flight(), claims=False) is None
        assert await it.redis.keys() == {}
        assert await it.find(it.flight()) is None
        assert await it.redis.keys() == {KEY: "pending@1-0"}


async def test_what_is_pending_may_be_written(log: Log) -> None:
    async with looking(log) as it:
        first, second = it.flight(), it.flight()
        await it.find(first)
        await it.find(second, claims=False)
        assert (first.earlier, second.earlier) == (False, True)
        await append(log, "c1")
        assert await it.find(second) == 1
        await eventually(lambda: _is(it, "done@1-1"), within_s=SOON_S, what="it is done")


async def test_what_is_pending_and_not_there_is_looked_for_behind_a_void_entry(log: Log) -> None:
    """Only by who is going to write it; a post that nobody has tried before costs no entry."""
    async with looking(log) as it:
        await it.find(it.flight())
        await it.find(it.flight(), claims=False)
        assert await size(log) == 0
        assert await it.find(it.flight()) is None
        assert await size(log) == 1


@pytest.mark.law("L5")
async def test_what_a_dead_leader_left_unseen_is_found_however_many_come_after_it(
    log: Log,
) -> None:
    """The heir has the record and shows it only once it has taken another; by then more than a
    window of others has come."""
    unseen = Unseen(log)
    async with looking(unseen) as it:
        await it.find(it.flight())
        await append(log, "c1")
        for number in range(WINDOW + 10):
            await append(log, f"other {number}", who=BEN)
        assert await it.find(it.flight(), claims=False) is None
        assert await it.find(it.flight()) == 1


async def test_a_post_that_is_known_here_asks_nobody(log: Log) -> None:
    await append(log, "c1")
    async with looking(log) as it:
        assert await it.find(it.flight()) == 1
        assert it.redis.trips == []


async def test_a_repetition_is_read_back_before_it_is_looked_up(log: Log) -> None:
    async with looking(log) as it:
        await append(log, "c1")
        assert await it.find(it.flight(earlier=True), claims=False) == 1
        await eventually(lambda: _is(it, "done@1-1"), within_s=SOON_S, what="it is done")


async def _is(it: Looking, said: str) -> bool:
    return await it.redis.keys() == {KEY: said}
