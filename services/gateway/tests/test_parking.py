"""What parked requests share: how long early ones are held back, and that they end with their
session and with their client."""

import asyncio
from typing import Any, cast

import pytest
from starlette.requests import Request

from libs.runtime.tasks import Tasks
from libs.runtime.web import Person
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire.codes import Problem, Refused
from services.gateway.hub import Hub
from services.gateway.limits import Limits
from services.gateway.parking import ParkingLot
from services.gateway.polls import Polls
from services.gateway.sessions import Sessions
from services.gateway.settings import Settings
from services.gateway.tests.listeners import CHANNEL, hub, parked, room
from services.gateway.tests.surroundings import surroundings
from services.gateway.tokens import Checked, Tokens
from services.gateway.wake import SMALL_ROOM, Waker

ANN = Checked(Person("ann", "s-ann"), 1 << 40)


def lot(rooms: Hub) -> ParkingLot:
    """One that only paces: it has nobody to ask."""
    clock = VirtualClock()
    settings = Settings(polls_burst=1, polls_per_s=5.0, polls_large_per_s=1.0)
    return ParkingLot(
        clock=clock,
        tasks=cast(Tasks, None),
        hub=rooms,
        tokens=cast(Tokens, None),
        sessions=Sessions(),
        limits=Limits(settings, clock),
        polls=cast(Polls, None),
        waker=cast(Waker, None),
    )


@pytest.mark.parametrize(("waiters", "pause_s"), [(SMALL_ROOM, 0.2), (SMALL_ROOM + 1, 1.0)])
def test_an_early_poll_is_held_longer_where_many_wait(waiters: int, pause_s: float) -> None:
    there = room()
    rooms = hub(there)
    parked(rooms, there, waiters)
    paced = lot(rooms)
    assert paced.pause_s("session", CHANNEL) == 0.0
    assert paced.pause_s("session", CHANNEL) == pytest.approx(pause_s)
    assert paced.pause_s("another", CHANNEL) == 0.0


def test_a_channel_that_nobody_listens_to_is_a_small_one() -> None:
    paced = lot(hub())
    assert paced.pause_s("session", CHANNEL) == 0.0
    assert paced.pause_s("session", CHANNEL) == pytest.approx(0.2)


def test_what_cannot_be_a_channel_is_not_remembered() -> None:
    paced = lot(hub())
    assert [paced.pause_s("session", "x" * 10_000) for _ in range(3)] == [0.0] * 3


class Waiting:
    """A parked request."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.goes = asyncio.Event()
        self.request = Request({"type": "http", "headers": []}, self._receive)

    async def _receive(self) -> Any:
        await self.goes.wait()
        return {"type": "http.disconnect"}

    def end(self, problem: Problem) -> None:
        self.told.append(problem.code.name)

    def stop(self) -> None:
        self.told.append("stop")


def lot_of(ports: Any) -> ParkingLot:
    tokens, sessions = Tokens(ports, 10), Sessions()
    tokens.on_revoked.append(sessions.end)
    return ParkingLot(
        clock=ports.clock,
        tasks=ports.tasks,
        hub=hub(),
        tokens=tokens,
        sessions=sessions,
        limits=Limits(Settings(), ports.clock),
        polls=cast(Polls, None),
        waker=cast(Waker, None),
    )


async def test_what_is_parked_ends_with_its_session_and_not_when_it_is_parked_no_more() -> None:
    async with surroundings(VirtualClock()) as ports:
        lot, early, late = lot_of(ports), Waiting(), Waiting()
        async with lot.parked(early.request, ANN, early):
            pass
        async with lot.parked(late.request, ANN, late):
            lot.tokens.revoke("s-ann")
        assert (early.told, late.told) == ([], ["token_invalid"])


async def test_who_signed_out_already_is_not_parked() -> None:
    async with surroundings(VirtualClock()) as ports:
        lot, waiting = lot_of(ports), Waiting()
        lot.must_live(ANN)
        lot.tokens.revoke("s-ann")
        with pytest.raises(Refused, match="signed out"):
            lot.must_live(ANN)
        with pytest.raises(Refused, match="signed out"):
            async with lot.parked(waiting.request, ANN, waiting):
                pass


async def test_a_client_that_goes_stops_its_request() -> None:
    async with surroundings(VirtualClock()) as ports:
        lot, waiting = lot_of(ports), Waiting()
        async with lot.parked(waiting.request, ANN, waiting):
            waiting.goes.set()
            await eventually(lambda: waiting.told == ["stop"], within_s=5, what="it is stopped")
