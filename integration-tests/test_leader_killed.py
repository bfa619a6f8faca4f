"""Three brokers, and the leader of the channel dies three times under posts."""

import asyncio
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka.admin import AdminClient

from harness.cluster import Cluster, Servers, servers_of
from harness.people import People, Person
from libs.testing.eventually import eventually
from libs.wire.topics import pool

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.long]

KILLS = 3
NODES = 3
POSTERS = 24
# Of one partition: so the channel's leader is the pool's.
POOL = pool(0, 1)
WARM_POSTS = 300
AFTER_POSTS = 300
POSTED_S = 120.0
BACK_S = 60.0


class Posting:
    """Posts as fast as answers come; knows when each was acknowledged, and under which id."""

    def __init__(self, person: Person, channel: str) -> None:
        self._person = person
        self._channel = channel
        self._next = 0
        self.done = asyncio.Event()
        self.acknowledged: dict[int, int] = {}
        self.times: list[float] = []

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(POSTERS):
                group.create_task(self._post())

    async def _post(self) -> None:
        while not self.done.is_set():
            number, self._next = self._next, self._next + 1
            ident = await self._person.post_surely(
                self._channel, f"post {number}", f"post-{number}"
            )
            self.acknowledged[number] = ident
            self.times.append(time.monotonic())

    async def have(self, count: int) -> None:
        await eventually(lambda: len(self.times) >= count, within_s=POSTED_S, what=f"{count} posts")

    def longest_gap(self, since: float) -> float:
        """Seconds between two acknowledgements, at most, from `since` on."""
        times = [since, *(at for at in self.times if at >= since)]
        return max(after - before for before, after in pairwise(times))


class Place(NamedTuple):
    """Of the pool's partition: the leader's number, and how many replicas are in sync."""

    leader: int
    in_sync: int


@pytest.mark.law("L1")
async def test_a_leader_that_dies_three_times_loses_nothing(
    tmp_path: Path, figures: list[str]
) -> None:
    """kill -9 of the leader under posts: every acknowledged post is there once, ids are dense; the
    longest gap between acknowledgements is printed."""
    with servers_of(tmp_path / "servers", nodes=NODES) as servers:
        settings = {"group_membership_pool_partitions": "1", "group_membership_max_pools": "1"}
        async with (
            Cluster(tmp_path / "cluster", servers, instances=1, settings=settings) as cluster,
            People(cluster.url) as people,
        ):
            ada = await people.person("ada")
            channel = (await ada.create())["id"]
            posting = Posting(ada, channel)
            running = asyncio.ensure_future(posting.run())
            await posting.have(WARM_POSTS)
            began, had = time.monotonic(), len(posting.times)
            gaps = [await _kill_leader(servers, posting) for _ in range(KILLS)]
            rate = (len(posting.times) - had) / (time.monotonic() - began)
            posting.done.set()
            await running
            entries = await ada.read(channel)
    _judge(entries, posting)
    shown = ", ".join(f"{gap:.1f}" for gap in gaps)
    figures.append(
        f"leader killed {KILLS} times under {rate:.0f} posts/s (outages counted): {len(entries)} "
        f"posts, 0 lost, 0 twice; longest gaps of acknowledgements {shown} s"
    )


async def _kill_leader(servers: Servers, posting: Posting) -> float:
    place = await _place(servers)
    leader = servers.nodes[place.leader - 1]
    killed = time.monotonic()
    leader.kill()
    await posting.have(len(posting.times) + AFTER_POSTS)
    gap = posting.longest_gap(killed)
    leader.start()
    await eventually(
        partial(_is_whole, servers), within_s=BACK_S, every_s=0.2, what="all replicas are in sync"
    )
    return gap


async def _is_whole(servers: Servers) -> bool:
    return (await _place(servers)).in_sync == NODES


async def _place(servers: Servers) -> Place:
    client = AdminClient({"bootstrap.servers": servers.bootstrap})
    found = await asyncio.to_thread(client.list_topics, POOL.name, timeout=10)
    partition = found.topics[POOL.name].partitions[0]
    return Place(partition.leader, len(partition.isrs))


def _judge(entries: list[dict[str, object]], posting: Posting) -> None:
    assert [entry["id"] for entry in entries] == list(range(1, len(entries) + 1))
    messages = {entry["id"]: entry["text"] for entry in entries if entry["type"] == "message"}
    assert len(set(messages.values())) == len(messages), "a post shows twice"
    lost = [n for n, at in posting.acknowledged.items() if messages.get(at) != f"post {n}"]
    assert not lost, f"acknowledged, but not there: {lost[:5]}"
