"""Repairs that are this client's own choice: the protocol lets others jump there."""

import asyncio

from clients.python.tests.test_conformance import followed, http_of
from conformance.scenarios import WEBSOCKET, Run, Scenario, Step, bounds
from conformance.stage import Told, staged

HEAD = 2_600
BEHIND: tuple[Step, ...] = (
    {"opens": {}},
    {"tells": {"type": "watched", "channel": "A", "cursor": "1-4"}},
    {"tells": {"type": "behind", "channel": "A", "cursor": "1-4", "head": HEAD}},
)
LIMITED: Step = {"refuses": {"status": 429, "code": "limit_hit", "retry_after_s": 1}}
RUN = Run((WEBSOCKET,), {WEBSOCKET: (BEHIND,)}, "msgpack")


async def test_who_is_far_behind_reads_pages_as_fast_as_they_may_and_does_not_jump() -> None:
    scenario = Scenario(
        name="far behind",
        covers=(),
        log={"A": {"head": HEAD}},
        cursors={"A": "1-4"},
        bounds=bounds(),
        asks={},
        runs=(RUN,),
        pages=(LIMITED,),
        yields={"A": [f"5-{HEAD}"]},
        ends={},
    )
    told = Told()
    async with asyncio.timeout(30), staged(scenario, RUN) as stage, http_of(stage) as http:
        assert await followed(stage, http, told) == {}
        await stage.left(told)
