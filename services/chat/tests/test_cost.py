"""L10: what a post costs does not depend on how many members its channel has.

Chat and group-membership run as they are, over one log; what they ask of log, Redis and each other
is counted. Their clock stands still, so that nothing but the posts happens meanwhile.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest

from libs.log.faults import FaultyLog, Script
from libs.log.open import open_log
from libs.log.port import Appended, Log, Partition, Stored
from libs.runtime.calls import Caller, Reply
from libs.runtime.service import Running
from libs.store import Redis, open_store
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire import api, ids
from libs.wire.api import AccessAnswer, AccessQuestion, Pair
from libs.wire.records import Membership, encode
from libs.wire.services import CHAT, GROUP_MEMBERSHIP, SESSION
from libs.wire.topics import MEMBERS, TOPICS
from services.chat.app import build
from services.chat.settings import Settings
from services.chat.tests.instance import (
    CHANNEL,
    POOL,
    SIGNER,
    Accounts,
    Instance,
    claim,
    item,
    ports,
)
from services.group_membership.app import SERVICE as GROUP_MEMBERSHIP_SERVICE
from services.group_membership.settings import Settings as MembersSettings
from services.group_membership.store import member_id

POSTS = 20
CATCH_UP_S = 60.0
COUNTED_S = 5.0


class CountingLog(FaultyLog):
    """Counts appends and reads by topic."""

    def __init__(self, inner: Log, counts: Counter[str]) -> None:
        super().__init__(inner, Script())
        self._counts = counts

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        self._counts[f"append {partition.topic}"] += 1
        return await super().append(partition, value, key=key)

    async def read(self, partition: Partition, start: int, *, limit: int) -> list[Stored]:
        self._counts[f"read {partition.topic}"] += 1
        return list(await super().read(partition, start, limit=limit))


class CountingRedis:
    """Counts the commands of a Redis, in pipelines or not."""

    def __init__(self, inner: Any, counts: Counter[str], name: str) -> None:
        self._inner = inner
        self._counts = counts
        self._name = name

    def __getattr__(self, command: str) -> Any:
        self._counts[f"{self._name} {command}"] += 1
        return getattr(self._inner, command)

    def pipeline(self, **more: Any) -> "CountingRedis":
        return CountingRedis(self._inner.pipeline(**more), self._counts, self._name)

    async def __aenter__(self) -> "CountingRedis":
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *fault: Any) -> None:
        await self._inner.__aexit__(*fault)


class CountingCaller(Caller):
    """Counts calls by service and path."""

    def __init__(self, clock: VirtualClock, counts: Counter[str]) -> None:
        super().__init__(CHAT, signer=SIGNER, clock=clock, addresses={})
        self._counts = counts

    async def send(self, service: str, method: str, path: str, **more: Any) -> Reply:
        self._counts[f"call {service} {path}"] += 1
        return await super().send(service, method, path, **more)


def _user(number: int) -> str:
    return ids.derived("user", str(number))


class Suite:
    """The two services, and what was counted."""

    def __init__(self, log: Log, group: asyncio.TaskGroup) -> None:
        self.counts: Counter[str] = Counter()
        clock = VirtualClock()
        self.calls = CountingCaller(clock, self.counts)
        self.accounts = Accounts()
        self._group = group
        self._loops: list[asyncio.Task[None]] = []
        made = replace(ports(CountingLog(log, self.counts), group, clock=clock), calls=self.calls)
        stores = [CountingRedis(open_store(""), self.counts, name) for name in ("gm", "chat")]
        members, chat = (replace(made, store=cast(Redis, store)) for store in stores)
        self.members = GROUP_MEMBERSHIP_SERVICE.build(MembersSettings(), members)
        self.chat = build(Settings(), chat)
        self.calls.attach(GROUP_MEMBERSHIP, self.members.app)
        self.calls.attach(SESSION, self.accounts)
        self.clock = clock

    def start(self) -> None:
        for service in (self.members, self.chat):
            for loop in service.loops.values():
                self._loops.append(self._group.create_task(cast(Coroutine[Any, Any, None], loop())))

    async def stop(self) -> None:
        while living := [loop for loop in self._loops if not loop.done()]:
            for loop in living:
                loop.cancel()
            await asyncio.wait(living, timeout=0.1)
        await self.calls.close()

    async def is_member(self, number: int) -> bool:
        question = AccessQuestion((Pair(_user(number), CHANNEL),))
        reply = await self.calls.ask(
            GROUP_MEMBERSHIP, api.ACCESS, question, AccessAnswer, deadline_s=COUNTED_S
        )
        return reply.answers[0].may_post


@asynccontextmanager
async def suite(members: int) -> AsyncIterator[Suite]:
    """A channel of so many members, all of them in the view."""
    log = await open_log("sqlite://:memory:", now_ms=VirtualClock().now_ms)
    await log.create_topics((*TOPICS, POOL))
    await claim(log)
    await asyncio.gather(*(_join(log, number) for number in range(members)))
    async with asyncio.TaskGroup() as group:
        made = Suite(log, group)
        made.start()
        for number in (*range(POSTS), members - 1):
            await eventually(
                lambda number=number: made.is_member(number % members),  # type: ignore[misc]
                within_s=CATCH_UP_S,
                what="the members are in the view",
            )
        yield made
        await made.stop()
    await log.close()


async def _join(log: Log, number: int) -> None:
    user = _user(number)
    key = member_id(CHANNEL, user)
    record = Membership(channel=CHANNEL, user=user, joined=True, at_ms=0)
    place = Partition(MEMBERS.name, MEMBERS.partition_of(key))
    await log.append(place, encode(record), key=key.encode())


async def _cost(members: int) -> Counter[str]:
    """What is counted for posts one by one, and then a batch: replies, with mentions."""
    async with suite(members) as it:
        it.accounts.users["anna"] = _user(0)
        transport = httpx.ASGITransport(it.chat.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://chat") as http:
            chat = Instance(Running(it.chat.app), http, clock=it.clock)
            await chat.batch(item("first", "c0", who=_user(0)))
            await _settled(it, 1)
            it.counts.clear()
            for number in range(POSTS):
                post = item("@anna", f"c{number}-1", who=_user(number % members), reply_to=1)
                assert [reply.status for reply in await chat.batch(post)] == [201]
                await _settled(it, number + 1)
            posts = [
                item("@anna", f"c{number}-2", who=_user(number % members))
                for number in range(POSTS)
            ]
            assert {reply.status for reply in await chat.batch(*posts)} == {201}
            await _settled(it, 2 * POSTS)
            # How many second hints share a pipeline depends on when the log answered.
            assert it.counts.pop("chat execute") <= it.counts["chat set"]
            return Counter(it.counts)


async def _settled(it: Suite, posts: int) -> None:
    """Return when the signals and second hints of so many posts are written."""
    await eventually(
        lambda: it.counts["append signals"] == posts and it.counts["chat set"] == 2 * posts,
        within_s=COUNTED_S,
        what="what follows the answers is done",
    )


@pytest.mark.law("L10")
async def test_a_post_costs_the_same_at_10_members_and_at_10000() -> None:
    few, many = await _cost(10), await _cost(10_000)
    assert few == many
    assert few[f"append {POOL.name}"] == few["append signals"] == 2 * POSTS
    assert few[f"call {GROUP_MEMBERSHIP} {api.ACCESS}"] == POSTS + 1
    assert few["chat set"] == 4 * POSTS
