"""Posts go out at their pace, and what was held up is not caught up in a burst."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, cast

from demo.posting import Paced
from libs.testing.scheduler import run
from rostrum import Client, Cursor, Posted

PER_S = 100.0
# But for what floats lose.
GAP_S = 1 / PER_S - 1e-9
SEED = 20_261_130
AT = datetime(2026, 11, 21, tzinfo=UTC)


class FakeClient:
    """Takes a post at once, but the one that it is told to hold."""

    def __init__(self, *, held: int = -1, held_s: float = 0.0) -> None:
        self.at_s: list[float] = []
        self._held = held
        self._held_s = held_s

    async def post(self, channel: str, text: str, **_: Any) -> Posted:
        loop = asyncio.get_running_loop()
        self.at_s.append(loop.time())
        if len(self.at_s) - 1 == self._held:
            await asyncio.wait([loop.create_future()], timeout=self._held_s)
        return Posted(id=len(self.at_s), cursor=str(Cursor(1, len(self.at_s))), at=AT)


def gaps_of(client: FakeClient, count: int) -> list[float]:
    """The times between posts, on a loop whose time is virtual and exact."""

    async def post_all() -> None:
        counted: list[int] = []
        door = Paced(cast("Client", client), PER_S, counted.append)
        for number in range(count):
            await door.post("channel", f"text {number}")
        assert door.posted == counted == list(range(1, count + 1))
        assert 0 < door.rate <= PER_S * count / (count - 1) * 1.1

    run(SEED, post_all)
    return [later - earlier for earlier, later in pairwise(client.at_s)]


def test_no_two_posts_are_closer_than_the_pace() -> None:
    assert min(gaps_of(FakeClient(), 12)) >= GAP_S


def test_after_one_that_took_long_the_pace_is_the_same() -> None:
    gaps = gaps_of(FakeClient(held=3, held_s=0.1), 12)
    assert gaps[3] >= 0.1
    assert min(gaps[4:]) >= GAP_S
