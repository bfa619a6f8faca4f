"""Who polls on while a large room is woken: those who still wait are told first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.testing.eventually import eventually
from services.gateway.hub import Room
from services.gateway.tests.edge import CHANNEL, WITHIN_S, Edge
from services.gateway.tests.fakes import ident
from services.gateway.tests.test_poll_lane import FakeCaller, Polling, polling
from services.gateway.wake import SMALL_ROOM

LARGE = SMALL_ROOM + 1
ON = b"after=1-11"


@asynccontextmanager
async def waking() -> AsyncIterator[tuple[Edge, Polling, Room, list[FakeCaller]]]:
    """A large room of which some were told, and others not yet."""
    async with polling(polls_burst=10 * LARGE, polls_per_s=1e6) as (edge, it):
        callers = [it.ask() for _ in range(LARGE)]
        room = it.lane.lot.hub.rooms[CHANNEL]
        assert len(room.waiters) == LARGE
        await edge.relay.append(CHANNEL)
        await eventually(lambda: callers[0].answers, within_s=WITHIN_S, what="the first is told")
        assert room.waking
        yield edge, it, room, callers


async def over(room: Room, callers: list[FakeCaller]) -> None:
    await eventually(lambda: not room.waking, within_s=WITHIN_S, what="all are told")
    assert {len(each.answers) + len(each.responses) for each in callers} == {1}


async def test_who_polls_on_is_parked_when_all_are_told() -> None:
    async with waking() as (edge, it, room, callers):
        late = it.ask(ON)
        assert (late.room, late.answers, it.tasks) == (None, [], 0)
        await over(room, callers)
        await eventually(lambda: late.room is room, within_s=WITHIN_S, what="it is parked")
        assert room.waiters == [late]
        await edge.relay.append(CHANNEL)
        await eventually(lambda: late.answers, within_s=WITHIN_S, what="it is told")
        assert [each["id"] for each in late.answers[0][0]["entries"]] == [12]


async def test_what_comes_meanwhile_is_told_to_who_polls_on() -> None:
    async with waking() as (edge, it, room, callers):
        late = it.ask(ON)
        await edge.relay.append(CHANNEL)
        await over(room, callers)
        await eventually(lambda: late.answers, within_s=WITHIN_S, what="it is told")
        assert [each["id"] for each in late.answers[0][0]["entries"]] == [12]


@pytest.mark.parametrize("query", [b"after=1-10", b"after=1-11&wait=0", b"after=7-1", b""])
async def test_who_has_not_all_or_only_looks_is_told_at_once(query: bytes) -> None:
    async with waking() as (_, it, room, callers):
        assert len(it.ask(query).answers) == 1
        await over(room, callers)


async def test_who_goes_before_is_not_parked() -> None:
    async with waking() as (_, it, room, callers):
        gone, late = it.ask(ON), it.ask(ON)
        it.lane.gone(gone)
        await over(room, callers)
        await eventually(lambda: late.room is room, within_s=WITHIN_S, what="the other is parked")
        assert (gone.room, gone.answers, gone.responses) == (None, [], [])


async def test_whose_session_ends_before_is_told_so() -> None:
    async with waking() as (_, it, room, callers):
        late = it.ask(ON)
        it.lane.lot.tokens.revoke(ident("s-ann"))
        await over(room, callers)
        await eventually(lambda: late.responses, within_s=WITHIN_S, what="it is refused")
        assert late.problem["code"] == "token_invalid"
        # Those who were told before were told nothing more, the others were refused as well.
        assert room.waiters == []
