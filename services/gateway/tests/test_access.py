"""What is remembered of who may listen, and what a change does to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.runtime.access import AccessLane
from libs.runtime.changes import SILENT_S
from libs.runtime.service import Ports
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire.api import PAIRS_MAX
from libs.wire.codes import Problem, Refused, TryAgain
from services.gateway.access import (
    ASK_AGAIN_S,
    DOUBTED_KEPT_S,
    DOUBTED_S,
    NO_REMEMBERED_S,
    AccessMemory,
)
from services.gateway.hub import Hub, Room
from services.gateway.tests.fakes import FakeMembers
from services.gateway.tests.listeners import CHANNEL, Listener, hub, room
from services.gateway.tests.surroundings import surroundings

YES_S = 60.0
KEPT_S = 600.0


class Memory:
    """An access memory over a fake group-membership, without a gateway around it."""

    def __init__(self, ports: Ports, clock: VirtualClock, most: int) -> None:
        self.clock = clock
        self.members = FakeMembers(ports.signer, clock)
        self.members.public.add(CHANNEL)
        ports.calls.attach("group-membership", self.members.app)
        lane = AccessLane(ports, 1.0)
        self.room: Room = room(head=10)
        self.hub: Hub = hub(self.room)
        self.access = AccessMemory(lane, clock, yes_s=YES_S, kept_s=KEPT_S, most=most)
        self._heard_s: float | None = None
        self.access.silent_s = self._silent_s

    def hush(self) -> None:
        """Changes are silent, for so long that it is noticed now."""
        self._heard_s = self.clock.monotonic() - SILENT_S

    def heard(self) -> None:
        """Changes are heard again."""
        self._heard_s = None

    def _silent_s(self) -> float:
        return 0.0 if self._heard_s is None else self.clock.monotonic() - self._heard_s

    async def refusal(self, user: str) -> str:
        """The code with which a user is refused."""
        with pytest.raises(Problem) as caught:
            await self.access.grant(user, CHANNEL)
        return caught.value.code.name

    async def listener(self, user: str) -> Listener:
        """A parked waiter that relies on the user's grant."""
        waiter = Listener(user, self.room.head)
        grant = await self.access.grant(user, CHANNEL)
        self.hub.park(waiter, self.room, 25.0, peers=grant)
        return waiter

    async def asked(self, count: int) -> None:
        """Return when group-membership has been asked so often."""
        asked = self.members.batches
        await eventually(lambda: len(asked) >= count, within_s=5, what=f"{count} calls")


@asynccontextmanager
async def memory(most: int = 100) -> AsyncIterator[Memory]:
    clock = VirtualClock()
    async with surroundings(clock) as ports:
        yield Memory(ports, clock, most)


async def test_a_yes_is_remembered_until_it_is_too_old() -> None:
    async with memory() as it:
        grant = await it.access.grant("ann", CHANNEL)
        it.clock.advance(YES_S - 0.1)
        assert await it.access.grant("ann", CHANNEL) is grant
        assert len(it.members.batches) == 1
        it.clock.advance(0.1)
        await it.access.grant("ann", CHANNEL)
        assert len(it.members.batches) == 2


async def test_a_no_is_remembered_for_a_second_at_most() -> None:
    async with memory() as it:
        it.members.refusals["ann", CHANNEL] = "banned"
        assert await it.refusal("ann") == "banned"
        del it.members.refusals["ann", CHANNEL]
        it.clock.advance(NO_REMEMBERED_S - 0.01)
        assert await it.refusal("ann") == "banned"
        assert len(it.members.batches) == 1
        it.clock.advance(0.01)
        assert (await it.access.grant("ann", CHANNEL)).access.may_read
        assert NO_REMEMBERED_S <= 1


@pytest.mark.parametrize("who", ["ann", None])
async def test_a_change_makes_what_is_remembered_stale(who: str | None) -> None:
    async with memory() as it:
        grant = await it.access.grant("ann", CHANNEL)
        assert it.access.holds(grant)
        assert it.access.changed(CHANNEL, who) == []
        assert not it.access.holds(grant)
        it.members.refusals["ann", CHANNEL] = "banned"
        assert await it.refusal("ann") == "banned"


async def test_a_change_elsewhere_changes_nothing() -> None:
    async with memory() as it:
        grant = await it.access.grant("ann", CHANNEL)
        it.access.changed(CHANNEL, "bob")
        it.access.changed("another", None)
        assert it.access.holds(grant)


@pytest.mark.parametrize("who", ["ann", None])
async def test_an_answer_that_a_change_overtook_is_not_kept(who: str | None) -> None:
    async with memory() as it:
        it.members.goes_on.clear()
        asking = asyncio.create_task(it.access.grant("ann", CHANNEL))
        await it.asked(1)
        it.members.refusals["ann", CHANNEL] = "banned"
        it.access.changed(CHANNEL, who)
        it.members.goes_on.set()
        assert not it.access.holds(await asking)
        assert await it.refusal("ann") == "banned"


async def test_a_change_names_those_who_wait_on_it_and_nobody_else() -> None:
    async with memory() as it:
        waiters = [await it.listener("ann") for _ in range(3)]
        other = await it.listener("bob")
        assert it.access.changed(CHANNEL, "ann") == waiters
        assert it.access.changed(CHANNEL, None) == [*waiters, other]


async def test_when_changes_were_missed_nothing_that_was_remembered_counts() -> None:
    async with memory() as it:
        waiter = await it.listener("ann")
        grant = await it.access.grant("ann", CHANNEL)
        assert it.access.missed() == [waiter]
        assert not it.access.holds(grant)


async def test_the_memory_is_bounded_and_keeps_those_who_wait_beyond_that() -> None:
    async with memory(most=3) as it:
        waiter = await it.listener("first")
        grants = {user: await it.access.grant(user, CHANNEL) for user in "abcdef"}
        held = [user for user, grant in grants.items() if it.access.holds(grant)]
        assert held == ["d", "e", "f"]
        it.members.refusals["first", CHANNEL] = "banned"
        assert it.access.changed(CHANNEL, "first") == [waiter]


async def test_a_grant_that_was_forgotten_holds_no_more_since_no_change_would_find_it() -> None:
    async with memory(most=1) as it:
        grant = await it.access.grant("ann", CHANNEL)
        await it.access.grant("bob", CHANNEL)
        assert not it.access.holds(grant)
        assert it.access.changed(CHANNEL, "ann") == []


async def test_many_askers_cost_few_calls() -> None:
    async with memory(most=5_000) as it:
        it.members.goes_on.clear()
        users = [f"u{number}" for number in range(PAIRS_MAX + 500)]
        asking = [asyncio.create_task(it.access.grant(user, CHANNEL)) for user in users]
        same = [asyncio.create_task(it.access.grant("u0", CHANNEL)) for _ in range(500)]
        await it.asked(1)
        it.members.goes_on.set()
        found = await asyncio.gather(*asking, *same)
        assert len(set(map(id, found[: len(users)]))) == len(users)
        assert {id(each) for each in found[len(users) :]} == {id(found[0])}
        # What they may do is said once.
        assert len({id(each.access) for each in found}) == 1
        assert sum(it.members.batches) == len(users)
        assert len(it.members.batches) <= 3
        assert max(it.members.batches) <= PAIRS_MAX


async def test_a_failed_call_fails_all_who_asked_and_the_next_ask_works() -> None:
    async with memory() as it:
        it.members.is_away = True
        users = [f"u{number}" for number in range(20)]
        found = await asyncio.gather(
            *(it.access.grant(user, CHANNEL) for user in users), return_exceptions=True
        )
        assert {type(each) for each in found} == {TryAgain}
        it.members.is_away = False
        assert (await it.access.grant("u1", CHANNEL)).access.may_read


async def test_an_answer_of_another_length_is_refused_instead_of_mixed_up() -> None:
    async with memory() as it:
        it.members.is_short = True
        with pytest.raises(TryAgain):
            await it.access.grant("ann", CHANNEL)
        it.members.is_short = False
        assert (await it.access.grant("ann", CHANNEL)).access.may_read


async def test_who_stops_asking_does_not_take_the_answer_from_others() -> None:
    async with memory() as it:
        it.members.goes_on.clear()
        gone, stays = (asyncio.create_task(it.access.grant("ann", CHANNEL)) for _ in range(2))
        await it.asked(1)
        gone.cancel()
        it.members.goes_on.set()
        assert (await stays).access.may_read


@pytest.mark.parametrize("code", ["channel_unknown", "access_denied", "banned"])
async def test_a_refusal_has_its_own_code_and_says_what_to_do(code: str) -> None:
    async with memory() as it:
        it.members.refusals["ann", CHANNEL] = code
        with pytest.raises(Refused) as caught:
            await it.access.grant("ann", CHANNEL)
        assert caught.value.code.name == code
        assert len(caught.value.detail) > 10


async def test_in_doubt_a_yes_counts_for_seconds_only() -> None:
    async with memory() as it:
        await it.access.grant("ann", CHANNEL)
        it.hush()
        assert it.access.is_doubted
        it.clock.advance(DOUBTED_S - 0.1)
        await it.access.grant("ann", CHANNEL)
        assert len(it.members.batches) == 1
        it.clock.advance(0.1)
        await it.access.grant("ann", CHANNEL)
        assert len(it.members.batches) == 2
        it.heard()
        it.clock.advance(YES_S - 0.1)
        await it.access.grant("ann", CHANNEL)
        assert len(it.members.batches) == 2


async def test_in_doubt_and_without_an_answer_a_yes_counts_for_a_minute() -> None:
    async with memory() as it:
        await it.access.grant("ann", CHANNEL)
        it.members.is_away = True
        it.hush()
        it.clock.advance(DOUBTED_KEPT_S - 0.1)
        assert (await it.access.grant("ann", CHANNEL)).access.may_read
        it.clock.advance(0.1)
        assert await it.refusal("ann") == "rebuilding"
        # Whoever announces is back, and nobody changed anything: then it counts again.
        it.heard()
        assert (await it.access.grant("ann", CHANNEL)).access.may_read
        it.clock.advance(KEPT_S - DOUBTED_KEPT_S)
        assert await it.refusal("ann") == "rebuilding"


async def test_a_yes_from_before_the_silence_counts_for_a_minute_of_it() -> None:
    """While changes were heard a no would have been, so it is as good as asked then."""
    async with memory() as it:
        await it.access.grant("ann", CHANNEL)
        it.members.is_away = True
        it.clock.advance(3 * DOUBTED_KEPT_S)
        it.hush()
        it.clock.advance(DOUBTED_KEPT_S - SILENT_S - 0.1)
        assert (await it.access.grant("ann", CHANNEL)).access.may_read
        it.clock.advance(0.1)
        assert await it.refusal("ann") == "rebuilding"


async def test_in_doubt_nobody_is_served_while_the_answer_is_on_its_way() -> None:
    async with memory() as it:
        await it.access.grant("ann", CHANNEL)
        it.hush()
        it.clock.advance(DOUBTED_S)
        it.members.goes_on.clear()
        it.members.refusals["ann", CHANNEL] = "banned"
        asking = [asyncio.create_task(it.access.grant("ann", CHANNEL)) for _ in range(3)]
        await it.asked(2)
        it.members.goes_on.set()
        found = await asyncio.gather(*asking, return_exceptions=True)
        assert [str(each.code.name) for each in found if isinstance(each, Refused)] == [
            "banned"
        ] * len(asking)


async def test_in_doubt_who_cannot_be_asked_about_is_not_asked_about_by_every_poll() -> None:
    async with memory() as it:
        await it.access.grant("ann", CHANNEL)
        it.members.is_away = True
        it.hush()
        it.clock.advance(DOUBTED_S)
        for _ in range(5):
            await it.access.grant("ann", CHANNEL)
        assert len(it.members.batches) == 2
        it.clock.advance(ASK_AGAIN_S)
        await it.access.grant("ann", CHANNEL)
        assert len(it.members.batches) == 3


async def test_in_doubt_listeners_cost_a_call_for_a_thousand_of_them_in_five_seconds() -> None:
    async with memory(most=5_000) as it:
        users = [f"u{number}" for number in range(5 * PAIRS_MAX)]
        await asyncio.gather(*(it.access.grant(user, CHANNEL) for user in users))
        it.hush()
        before = len(it.members.batches)
        for _ in range(3):
            it.clock.advance(DOUBTED_S / 3)
            await asyncio.gather(*(it.access.grant(user, CHANNEL) for user in users))
        assert len(it.members.batches) - before <= len(users) / PAIRS_MAX + 1
