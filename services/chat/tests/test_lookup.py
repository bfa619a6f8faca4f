"""Looking a post up says nothing about it unless it is going to be written."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libs.log.port import Log
from libs.testing.eventually import eventually
from services.chat.flights import Flight
from services.chat.lookup import Lookup
from services.chat.model import Post
from services.chat.settings import Settings
from services.chat.store import Hints
from services.chat.tests.instance import ANNA, CHANNEL, HOME, SOON_S, append, ports
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
        yield Looking(Lookup(hints), channel, redis)


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
        await it.find(second)
        assert (first.earlier, second.earlier) == (False, True)
        await append(log, "c1")
        assert await it.find(second) == 1
        await eventually(lambda: _is(it, "done@1-1"), within_s=SOON_S, what="it is done")


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
