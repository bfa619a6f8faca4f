"""200 parked long-polls in other processes get 500 posts each: in order, once."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Cluster
from harness.people import People, Person
from harness.suite import Suite

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

FOLLOWERS = 200
PROCESSES = 2
POSTS = 500
PEOPLE = 10
IN_FLIGHT = 4


@pytest.mark.law("L2", "L8")
@pytest.mark.parametrize(
    "suite",
    ["embedded", pytest.param("kafka", marks=pytest.mark.long)],
    indirect=True,
    scope="module",
)
async def test_200_parked_long_polls_get_500_posts_in_order_once(
    suite: Suite | Cluster, people: People, figures: list[str]
) -> None:
    """Every follower sees ids 1 to 500, each once and in order; the lags are printed."""
    poster = await people.person("poster")
    channel = (await poster.create(visibility="public"))["id"]
    readers = [await people.person(f"reader{number}") for number in range(PEOPLE)]
    processes = [await _start(suite, channel, readers) for _ in range(PROCESSES)]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"parked\n"
    began = time.monotonic()
    await _post_all(poster, channel)
    posted_s = time.monotonic() - began
    reports = [await _report(process) for process in processes]
    sequences = [ids for report in reports for ids in report["sequences"]]
    assert len(sequences) == FOLLOWERS
    assert all(ids == list(range(1, POSTS + 1)) for ids in sequences)
    lags_ms = sorted(lag / 1e6 for report in reports for lag in report["lags_ns"])
    polls = sum(report["polls"] for report in reports)
    figures.append(
        f"{FOLLOWERS} long-polls x {POSTS} posts: {len(lags_ms)} deliveries in {polls} polls, "
        f"{POSTS / posted_s:.0f} posts/s, post to delivery p50 {_part(lags_ms, 0.5):.0f} ms, "
        f"p99 {_part(lags_ms, 0.99):.0f} ms, worst {lags_ms[-1]:.0f} ms"
    )


async def _start(
    suite: Suite | Cluster, channel: str, readers: list[Person]
) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "harness.followers",
        cwd=Path(__file__).parent,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 << 20,
    )
    order = {
        "host": "127.0.0.1",
        "port": suite.port,
        "channel": channel,
        "tokens": [reader.token for reader in readers],
        "cursor": "1-0",
        "last": POSTS,
        "count": FOLLOWERS // PROCESSES,
    }
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    await process.stdin.drain()
    return process


async def _post_all(poster: Person, channel: str) -> None:
    numbers = iter(range(POSTS))

    async def post_some() -> None:
        for number in numbers:
            await poster.post_surely(channel, f"{time.monotonic_ns()} post", f"post-{number}")

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(post_some())


async def _report(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert await process.wait() == 0
    report: dict[str, Any] = json.loads(line)
    return report


def _part(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
