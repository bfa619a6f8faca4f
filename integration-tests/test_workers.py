"""A gateway of several processes on one port: who listens is shared out among them, and finds
another one when its own dies."""

import asyncio
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.cluster import Cluster, servers_of
from harness.gateways import QUICK
from harness.listeners import Listener, listening
from harness.people import People, Person
from harness.polling import LongPoll
from harness.poster import Poster
from harness.streaming import Events, PackedSocket, Socket
from libs.testing.eventually import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300), pytest.mark.long]

# The admin listener of each is so far from the one before.
WORKERS, STEP = 3, 10
WAYS: tuple[type[Listener], ...] = (LongPoll, Socket, PackedSocket, Events)
EACH = 15
POSTS = 300
KILLS = 3
WITHIN_S = 60.0


@pytest.mark.law("L8")
async def test_workers_share_a_port_and_may_die(tmp_path: Path, figures: list[str]) -> None:
    """Sixty followers over four ways on one address, 300 posts, three workers killed: all entries,
    once and in order. Each worker had its part of them, and ends with the others."""
    with servers_of(tmp_path / "servers") as servers:
        made = Cluster(tmp_path / "cluster", servers, instances=1, settings=QUICK, workers=WORKERS)
        async with made as cluster, People(cluster.url) as people:
            await _all_ready(cluster)
            ada = await people.person("ada")
            channel = (await ada.create("c", visibility="public"))["id"]
            listeners = _followers(ada, cluster, channel)
            shares, entries = await _follow(cluster, ada, channel, listeners)
            assert await cluster.stop() == 0, cluster.logs()
    for each in listeners:
        assert not each.notes.faults, f"{each.way}: {each.notes.faults}"
        assert each.notes[channel].entries == entries, each.way
    assert min(shares) > 0, f"one has nobody: {shares}"
    figures.append(
        f"{len(listeners)} followers on one port of {WORKERS} workers, {shares} each, {POSTS} "
        f"posts, {KILLS} workers killed: 0 lost, 0 twice"
    )


def _followers(ada: Person, cluster: Cluster, channel: str) -> list[Listener]:
    return [
        way(ada, cluster.urls, {channel: "1-0"}, seed=f"{way.way}{number}")
        for way in WAYS
        for number in range(EACH)
    ]


async def _follow(
    cluster: Cluster, ada: Person, channel: str, listeners: Sequence[Listener]
) -> tuple[list[int], list[dict[str, Any]]]:
    """Post and kill until all have read all: how many each worker had at first, and the entries."""
    poster = Poster([ada])
    async with listening(listeners), asyncio.TaskGroup() as posting:
        shares = await _all_parked(cluster, len(listeners))
        posting.create_task(poster.post_all([channel], POSTS, at_once=4))
        for kill in range(1, KILLS + 1):
            await _posted(poster, POSTS * kill // (KILLS + 1))
            await _kill_one(cluster, kill % WORKERS)
        await _posted(poster, POSTS)
        entries = await ada.read(channel)
        await _all_have_read(listeners, channel, len(entries))
    return shares, entries


def _admins(cluster: Cluster) -> list[str]:
    address, _, port = cluster.admin_url.rpartition(":")
    return [f"{address}:{int(port) + STEP * at}" for at in range(WORKERS)]


async def _health(admin: str) -> int:
    """The status of its answer; 0 when nobody answers."""
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"{admin}/health/ready")).status_code
    except httpx.TransportError:
        return 0


async def _metrics(admin: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{admin}/metrics")).text


async def _all_ready(cluster: Cluster) -> None:
    async def ready() -> bool:
        codes = [await _health(admin) for admin in _admins(cluster)]
        assert codes == [200] * WORKERS, codes
        return True

    await eventually(ready, within_s=WITHIN_S, what="all workers are ready")


async def _all_parked(cluster: Cluster, count: int) -> list[int]:
    """How many each worker has."""

    async def parked() -> list[int]:
        found = [await _metrics(admin) for admin in _admins(cluster)]
        counts = [int(float(_value(text, "rostrum_gateway_parked"))) for text in found]
        assert sum(counts) == count, counts
        return counts

    return await eventually(parked, within_s=WITHIN_S, what=f"{count} are parked")


def _value(text: str, name: str) -> str:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return found[1]


async def _kill_one(cluster: Cluster, at: int) -> None:
    """`kill -9` of a worker; return when another one is ready in its place."""
    pid = _pid(cluster, at)
    os.kill(pid, signal.SIGKILL)

    def is_back() -> bool:
        return _pid(cluster, at) != pid

    await eventually(is_back, within_s=WITHIN_S, what="a new worker")
    await _all_ready(cluster)


def _pid(cluster: Cluster, at: int) -> int:
    """The process that was started as this worker."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and _is_worker(folder, cluster, at):
            return int(folder.name)
    raise AssertionError(f"no worker {at}")


def _is_worker(folder: Path, cluster: Cluster, at: int) -> bool:
    try:
        command = (folder / "cmdline").read_bytes().split(b"\0")
        environment = (folder / "environ").read_bytes()
    except OSError:
        return False
    is_ours = f"ROSTRUM_PORT={cluster.port}\0".encode() in environment + b"\0"
    return is_ours and command[-4:-2] == [b"--worker", str(at).encode()]


async def _posted(poster: Poster, count: int) -> None:
    await eventually(lambda: poster.posted >= count, within_s=WITHIN_S, what=f"{count} posts")


async def _all_have_read(listeners: Sequence[Listener], channel: str, head: int) -> None:
    def all_there() -> bool:
        return all(each.notes[channel].place.id >= head for each in listeners)

    await eventually(all_there, within_s=WITHIN_S, every_s=0.1, what="all have read everything")
