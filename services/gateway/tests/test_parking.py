"""How long an early poll is held back."""

from typing import cast

import pytest

from libs.runtime.tasks import Tasks
from libs.testing.clock import VirtualClock
from services.gateway.hub import Hub
from services.gateway.limits import Limits
from services.gateway.parking import ParkingLot
from services.gateway.polls import Polls
from services.gateway.sessions import Sessions
from services.gateway.settings import Settings
from services.gateway.tests.listeners import CHANNEL, hub, parked, room
from services.gateway.tokens import Tokens
from services.gateway.wake import SMALL_ROOM


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
