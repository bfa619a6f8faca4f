"""Streams that are let in are counted by their way, and nobody else is."""

import pytest

from libs.testing.served import served
from services.gateway.metrics import ADMITTED
from services.gateway.tests.edge import CHANNEL, edge
from services.gateway.tests.talkers import events, talking

WAYS = ("websocket", "events")


class Counted:
    """What the metric tells since this was made."""

    def __init__(self) -> None:
        self._before = self._told()

    def __call__(self) -> dict[str, float]:
        """By way."""
        return {way: now - self._before[way] for way, now in self._told().items()}

    @staticmethod
    def _told() -> dict[str, float]:
        return {way: float(ADMITTED.labels(way)._value.get()) for way in WAYS}


async def test_each_way_in_is_counted_by_itself() -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        it.channel(head=10)
        counted = Counted()
        async with talking(address), talking(address), events(it, address, CHANNEL) as stream:
            assert (await stream.hear())["type"] == "welcome"
            assert counted() == {"websocket": 2, "events": 1}
        assert (await it.poll()).status_code == 200
        assert counted() == {"websocket": 2, "events": 1}


@pytest.mark.parametrize("burst", [1, 2])
async def test_who_is_sent_away_is_not(burst: int) -> None:
    async with (
        edge(connects_per_s=1.0, connects_burst=burst) as it,
        served(it.running.app, http=it.running.http) as address,
    ):
        it.channel(head=10)
        counted = Counted()
        statuses = []
        for _ in range(3):
            async with events(it, address, CHANNEL) as stream:
                statuses.append(stream.reply.status_code)
        assert sorted(statuses) == [200] * burst + [429] * (3 - burst)
        assert counted() == {"websocket": 0, "events": burst}
