"""Cables pulled between processes: what needs the other side says so, the rest goes on."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness import cuts
from harness.cluster import Cluster, servers_of
from harness.cuts import CannotCut
from harness.people import Answer, People, Person
from harness.suite import ROOT, Suite
from libs.testing.eventually import eventually
from libs.wire.services import CHAT, RELAY

pytestmark = [pytest.mark.timeout(240), pytest.mark.long]

BROKER = "broker-1"
AGAIN_S = 30.0
# What ends without cleaning up, after it has said which process it was.
DIES = """
import os, signal
from harness.cuts import network
with network() as made:
    made.home("redis")
    print(made.tag, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_chat_without_broker_says_so_and_goes_on_when_healed(
    tmp_path: Path, figures: list[str]
) -> None:
    """While the cable is out no post is acknowledged and each is answered 503, with what is known
    of it; afterwards the same process takes posts again, and each shows once."""
    with (
        cuts.network() as network,
        servers_of(tmp_path / "servers", nodes=1, network=network) as servers,
    ):
        asyncio.run(_without_broker(Cluster(tmp_path / "cluster", servers, 1), figures))


async def _without_broker(cluster: Cluster, figures: list[str]) -> None:
    async with cluster, People(cluster.url) as people:
        ada = await people.person("ada")
        channel = (await ada.create())["id"]
        first = await ada.post_surely(channel, "first", "first")
        pid = cluster.programs[CHAT, 0].pid
        cluster.cut((CHAT, 0), BROKER)
        answers = [await ada.post(channel, f"cut {at}", f"cut-{at}") for at in range(2)]
        assert [each.status for each in answers] == [503, 503], answers
        codes = [_code(each) for each in answers]
        assert codes[0] == "outcome_unknown", answers
        assert set(codes) <= {"outcome_unknown", "not_written"}, answers
        await eventually(lambda: _names_log(cluster), within_s=AGAIN_S, what="chat names the log")
        cluster.heal()
        for at in range(2):
            await ada.post_surely(channel, f"cut {at}", f"cut-{at}")
        last = await ada.post_surely(channel, "last", "last")
        await eventually(lambda: _is_ready(cluster), within_s=AGAIN_S, what="chat is ready")
        assert cluster.programs[CHAT, 0].pid == pid
        entries = await ada.read(channel)
    assert [entry["id"] for entry in entries] == list(range(first, last + 1))
    texts = [entry["text"] for entry in entries if entry["type"] == "message"]
    assert sorted(texts) == ["cut 0", "cut 1", "first", "last"]
    figures.append(f"chat cut from the broker: {codes}, all posted once after it was healed")


def test_a_relay_cut_from_its_gateway_is_replaced(tmp_path: Path, figures: list[str]) -> None:
    """With either of two relays out of reach, a reader who polls as clients do (again after 503)
    has what is posted."""
    with (
        cuts.network() as network,
        servers_of(tmp_path / "servers", nodes=1, network=network) as servers,
    ):
        cluster = Cluster(tmp_path / "cluster", servers, 1, counts={RELAY: 2})
        asyncio.run(_without_relay(cluster, figures))


async def _without_relay(cluster: Cluster, figures: list[str]) -> None:
    loop = asyncio.get_running_loop()
    took = []
    async with cluster, People(cluster.url) as people:
        ada = await people.person("ada")
        channel = (await ada.create())["id"]
        await ada.post_surely(channel, "0", "0")
        for relay in range(2):
            cluster.cut(("gateway", 0), (RELAY, relay))
            began = loop.time()
            await _is_delivered(ada, channel, relay + 1)
            took.append(loop.time() - began)
            cluster.heal()
    told = " and ".join(f"{each:.1f}" for each in took)
    figures.append(f"gateway cut from either relay: a post is delivered after {told} s")


async def _is_delivered(person: Person, channel: str, at: int) -> None:
    async def polled() -> Any:
        path = f"/v1/channels/{channel}/poll?after=1-{at}&wait=25"
        answer = await person.ask("GET", path)
        assert answer.status in {200, 503}, answer
        return answer.status == 200 and answer.body["entries"]

    reading = asyncio.ensure_future(
        eventually(polled, within_s=AGAIN_S, every_s=0.1, what=f"{at} is delivered")
    )
    await person.post_surely(channel, str(at), str(at))
    assert [entry["text"] for entry in await reading] == [str(at)]


def _code(answer: Answer) -> str:
    return str(answer.body["code"])


async def _names_log(cluster: Cluster) -> bool:
    return any("log" in lack for lack in await cluster.lacks(CHAT))


async def _is_ready(cluster: Cluster) -> bool:
    return not await cluster.lacks(CHAT)


def test_what_a_killed_test_left_is_removed_by_the_next() -> None:
    """kill -9 leaves namespaces and a bridge; they bear the process's number and are gone once
    somebody makes a network."""
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'integration-tests'}"}
    with cuts.network():
        died = subprocess.run(
            [sys.executable, "-c", DIES],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    tag = died.stdout.strip()
    assert tag.startswith("c"), died.stderr
    assert any(name.startswith(tag) for name in cuts.left())
    with cuts.network() as made:
        assert not any(name.startswith(tag) for name in cuts.left())
        made.home("redis")
        assert any(name.startswith(made.tag) for name in cuts.left())
    assert not any(name.startswith(made.tag) for name in cuts.left())


def test_embedded_there_is_nothing_to_cut(tmp_path: Path) -> None:
    """The embedded mode says so, and so does a name that nobody has."""
    with pytest.raises(CannotCut, match="one process"):
        Suite(tmp_path).cut(CHAT, BROKER)
    with cuts.network() as made:
        made.home("redis")
        with pytest.raises(CannotCut, match="nobody is none of redis"):
            made.cut("redis", "nobody")
