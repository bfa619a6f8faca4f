"""A yes lasts for a minute in which nobody can be asked, unless something changed; a no never."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.log.faults import FaultyLog, Script
from libs.log.port import Log, Partition
from libs.runtime.changes import SILENT_S
from libs.testing.beating import Owners
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire import ids
from libs.wire.api import Access
from libs.wire.codes import TryAgain
from libs.wire.records import AccessChanged, Heartbeat, encode
from libs.wire.services import GROUP_MEMBERSHIP
from libs.wire.topics import ACCESS_CHANGES
from services.chat.access import AccessMemory
from services.chat.settings import Settings
from services.chat.tests.instance import (
    ANNA,
    BEN,
    CHANNEL,
    SOON_S,
    Instance,
    Members,
    ports,
    running,
)

PLACE = Partition(ACCESS_CHANGES.name, ACCESS_CHANGES.partition_of(CHANNEL))


class Memory:
    """An instance whose clock and log are turned and cut by tests."""

    def __init__(self, chat: Instance, clock: VirtualClock, log: FaultyLog) -> None:
        self.chat = chat
        self.clock = clock
        self.log = log
        self._owners = Owners(log, clock, ACCESS_CHANGES)
        self._posts = 0

    async def post(self, who: str = ANNA) -> str:
        """The code of a new post."""
        self._posts += 1
        answer = await self.chat.post(client_id=f"c{self._posts}", who=who)
        return str(answer.json().get("code", "fine"))

    async def beat(self) -> None:
        """All who announce changes beat."""
        await self._owners.beat()

    async def is_let_in(self, who: str = ANNA) -> None:
        async def let_in() -> bool:
            return await self.post(who) == "fine"

        await eventually(let_in, within_s=SOON_S, what="the beats are heard")

    async def changed(self, user: str | None, channel: str = CHANNEL) -> None:
        await self.log.append(PLACE, encode(AccessChanged(channel=channel, user=user)))

    async def is_refused(self, who: str = ANNA) -> None:
        async def refused() -> bool:
            return await self.post(who) == "service_away"

        await eventually(refused, within_s=SOON_S, what="the change is heard")


@asynccontextmanager
async def remembering(log: Log, settings: Settings | None = None) -> AsyncIterator[Memory]:
    clock, faulty = VirtualClock(), FaultyLog(log, Script())
    async with running(faulty, settings, clock=clock) as chat:
        yield Memory(chat, clock, faulty)


async def _let_in(it: Memory, *people: str) -> None:
    """They have posted, and access cannot be asked from now on."""
    it.chat.members.away = False
    for who in people:
        assert await it.post(who) == "fine"
    it.chat.members.away = True


async def test_a_yes_counts_for_a_minute(log: Log) -> None:
    async with remembering(log) as it:
        await _let_in(it, ANNA)
        assert await it.post() == "fine"
        assert await it.post(BEN) == "service_away"
        it.clock.advance(60)
        await it.beat()
        await it.is_let_in()
        it.clock.advance(1)
        assert await it.post() == "service_away"


async def test_rebuilding_is_not_a_no(log: Log) -> None:
    async with remembering(log) as it:
        await _let_in(it, ANNA)
        it.chat.members.away = False
        for who in (ANNA, BEN):
            it.chat.members.answers[who] = Access(who, CHANNEL, refusal="rebuilding")
        assert await it.post() == "fine"
        assert await it.post(BEN) == "rebuilding"


async def test_a_change_of_the_user_or_of_all_ends_it(log: Log) -> None:
    async with remembering(log) as it:
        await _let_in(it, ANNA, BEN)
        await it.log.append(PLACE, encode(Heartbeat()))
        await it.changed(ANNA, ids.derived("channel", "another"))
        await it.changed(ANNA)
        await it.is_refused()
        assert await it.post(BEN) == "fine"
        await _let_in(it, ANNA, BEN)
        await it.changed(None)
        await it.is_refused(BEN)
        assert await it.post(ANNA) == "service_away"


async def test_a_silence_while_it_is_asked_ends_it_too(log: Log) -> None:
    async with remembering(log) as it:
        it.chat.members.go.clear()
        posting = asyncio.create_task(it.post())
        await eventually(lambda: it.chat.members.asked, within_s=SOON_S, what="it is asked")
        it.log.cut()
        await eventually(lambda: it.clock.sleeping() >= 2, within_s=SOON_S, what="loops wait")
        it.log.heal()
        await it.clock.elapse(1)
        it.chat.members.go.set()
        assert await posting == "fine"
        it.chat.members.away = True
        assert await it.post() == "service_away"


async def test_a_change_that_comes_while_it_is_asked_ends_it_too(log: Log) -> None:
    members = Members()
    async with asyncio.TaskGroup() as group:
        made = ports(log, group)
        made.calls.attach(GROUP_MEMBERSHIP, members)
        memory = AccessMemory(made, Settings())
        loop = group.create_task(memory.changes.run())
        await eventually(lambda: not memory.changes.lacks(), within_s=SOON_S, what="it follows")
        members.go.clear()
        asking = group.create_task(memory.ask(ANNA, CHANNEL))
        await eventually(lambda: members.asked, within_s=SOON_S, what="it is asked")
        before = memory._heard(ANNA, CHANNEL)
        await log.append(PLACE, encode(AccessChanged(channel=CHANNEL, user=None)))
        await eventually(
            lambda: memory._heard(ANNA, CHANNEL) != before, within_s=SOON_S, what="it is heard"
        )
        members.go.set()
        assert (await asking).may_post
        members.away = True
        with pytest.raises(TryAgain):
            await memory.ask(ANNA, CHANNEL)
        loop.cancel()


@pytest.mark.parametrize("no", ["post_denied", "access_denied", "banned"])
async def test_a_no_is_not_remembered_and_ends_a_yes(log: Log, no: str) -> None:
    answers = {
        "post_denied": Access(ANNA, CHANNEL, may_read=True),
        "access_denied": Access(ANNA, CHANNEL),
        "banned": Access(ANNA, CHANNEL, refusal="banned"),
    }
    async with remembering(log) as it:
        await _let_in(it, ANNA)
        it.chat.members.away = False
        it.chat.members.answers[ANNA] = answers[no]
        assert await it.post() == no
        it.chat.members.away = True
        assert await it.post() == "service_away"


async def test_while_changes_are_not_heard_nothing_is_remembered(log: Log) -> None:
    async with remembering(log) as it:
        await _let_in(it, ANNA)
        it.log.cut()
        await eventually(lambda: it.clock.sleeping() >= 2, within_s=SOON_S, what="loops wait")
        it.log.heal()
        assert await it.post() == "service_away"
        # Asked while nothing is heard: good for that one post.
        await _let_in(it, ANNA)
        assert await it.post() == "service_away"
        await it.clock.elapse(1)
        await _let_in(it, ANNA)
        assert await it.post() == "fine"


async def test_while_those_who_announce_changes_are_silent_no_yes_counts(log: Log) -> None:
    async with remembering(log) as it:
        await _let_in(it, ANNA, BEN)
        it.clock.advance(SILENT_S - 0.1)
        assert await it.post() == "fine"
        it.clock.advance(0.1)
        assert await it.post() == "service_away"
        # Asked in the silence: good for that one post.
        await _let_in(it, ANNA)
        await it.beat()
        await it.is_let_in(BEN)
        assert await it.post() == "service_away"


async def test_the_oldest_answers_go_first(log: Log) -> None:
    async with remembering(log, Settings(access_memory=1)) as it:
        await _let_in(it, ANNA, BEN)
        assert await it.post(ANNA) == "service_away"
        assert await it.post(BEN) == "fine"
