"""Three brokers, and the leader of the channel dies three times under posts."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka.admin import AdminClient

from harness.cluster import Cluster, Servers, servers_of
from harness.pacer import Pacer
from harness.people import People
from libs.testing.eventually import eventually
from libs.wire.topics import pool

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.long]

KILLS = 3
NODES = 3
RATE = 200.0
# Of one partition: so the channel's leader is the pool's.
POOL = pool(0, 1)
# Ten seconds: what the machines of brokers and services compile is compiled by then.
WARM_POSTS = 2_000
AFTER_POSTS = 1_000
POSTED_S = 120.0
BACK_S = 60.0


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
            pacer = Pacer(cluster.port, ada, channel, rate=RATE)
            began = time.monotonic()
            # In a group: what cannot keep up with the rate ends the test at once, and says so.
            async with asyncio.TaskGroup() as posting:
                posting.create_task(pacer.run())
                await pacer.have(WARM_POSTS, within_s=POSTED_S)
                gaps = [await _kill_leader(servers, pacer) for _ in range(KILLS)]
                took_s = time.monotonic() - began
                pacer.finish()
            entries = await ada.read(channel)
    _judge(entries, pacer)
    shown = ", ".join(f"{gap:.1f}" for gap in gaps)
    voids = sum(entry["type"] == "void" for entry in entries)
    figures.append(
        f"leader killed {KILLS} times under {pacer.offered / took_s:.0f} posts/s offered: "
        f"{len(pacer.acknowledged)} posts, 0 lost, 0 twice, {voids} void; longest gaps of "
        f"acknowledgements {shown} s; {_quiet(pacer)}; other answers {dict(pacer.answers)}"
    )


async def _kill_leader(servers: Servers, pacer: Pacer) -> float:
    place = await _place(servers)
    leader = servers.nodes[place.leader - 1]
    killed = time.monotonic()
    leader.kill()
    await pacer.have(len(pacer.acknowledged) + AFTER_POSTS, within_s=POSTED_S)
    gap = pacer.longest_gap(killed)
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


def _quiet(pacer: Pacer) -> str:
    """How long a post takes before the first kill."""
    took = sorted(
        (ack.at - ack.sent) * 1e3 for n, ack in pacer.acknowledged.items() if n < WARM_POSTS
    )
    return (
        f"before that p50 {took[len(took) // 2]:.0f} ms, p99 {took[len(took) * 99 // 100]:.0f} ms"
    )


def _judge(entries: list[dict[str, object]], pacer: Pacer) -> None:
    assert [entry["id"] for entry in entries] == list(range(1, len(entries) + 1))
    messages = {entry["id"]: entry["text"] for entry in entries if entry["type"] == "message"}
    shown: dict[object, list[object]] = {}
    for ident, text in messages.items():
        shown.setdefault(text, []).append(ident)
    twice = {text: idents for text, idents in shown.items() if len(idents) > 1}
    assert not twice, f"{len(twice)} posts show twice: {dict(list(twice.items())[:5])}"
    lost = [n for n, ack in pacer.acknowledged.items() if messages.get(ack.id) != f"post {n}"]
    assert not lost, f"acknowledged, but not there: {lost[:5]}"
