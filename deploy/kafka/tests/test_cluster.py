"""Three nodes live and die as told; what they need and lack is said in one line."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deploy.kafka import ask, distribution
from deploy.kafka.child import LOOPBACK, spawn
from deploy.kafka.cluster import Cluster, running
from deploy.kafka.distribution import CannotStart, Distribution
from deploy.kafka.properties import Place, free_ports, rendered
from libs.testing.eventually import eventually

ROOT = Path(__file__).parents[3]


def known(cluster: Cluster, at: int) -> int:
    """How many brokers a node knows."""
    return ask.brokers("127.0.0.1", cluster.places[at].port, 1.0)


def controller(cluster: Cluster, at: int) -> int:
    """Who leads the controllers, as a node says."""
    found = ask.controller("127.0.0.1", cluster.places[at].port, 1.0)
    assert 1 <= found <= len(cluster.nodes)
    return found


def is_running(pid: int | None) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.long
async def test_of_three_nodes_one_is_killed_and_comes_back(tmp_path: Path) -> None:
    with running(Distribution(), tmp_path / "nodes", [LOOPBACK] * 3) as cluster:
        victim, witness = cluster.nodes[2], 0
        assert len({node.pid for node in cluster.nodes} - {None}) == 3
        assert all(controller(cluster, at) == controller(cluster, 0) for at in range(3))
        victim.kill()
        assert victim.pid is None
        await eventually(
            lambda: known(cluster, witness) == 2, within_s=20, what="the dead node is fenced"
        )
        victim.start()
        victim.wait_until_it_answers(brokers=3)
        pids = [node.pid for node in cluster.nodes]
    assert not any(is_running(pid) for pid in pids)
    assert not (tmp_path / "nodes").exists()


async def test_a_node_dies_with_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.kafka.tests.parent", str(tmp_path / "nodes")]
    parent = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert parent.stdout is not None
        async with asyncio.timeout(60):
            node = int(await parent.stdout.readline())
    finally:
        parent.kill()
        await parent.communicate()
    await eventually(lambda: not is_running(node), within_s=5, what="the orphan is gone")


async def test_a_paused_node_answers_when_it_goes_on(tmp_path: Path) -> None:
    with running(Distribution(), tmp_path / "nodes") as cluster:
        (node,) = cluster.nodes
        node.pause()
        with pytest.raises(CannotStart, match="does not answer within 1 s"):
            node.wait_until_it_answers(within_s=1.0)
        node.resume()
        node.wait_until_it_answers()
        assert ask.features("127.0.0.1", node.place.port, 5.0)["metadata.version"] >= 30


def test_a_broker_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    with running(Distribution(), tmp_path / "nodes") as cluster:
        node = cluster.nodes[0]
        node.kill()
        (cluster.places[0].data / "meta.properties").unlink()
        node.start()
        with pytest.raises(CannotStart, match=r"(?s)node 1 ended:.*meta\.properties"):
            node.wait_until_it_answers()


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ({}, "java is missing: .*openjdk-17-jre-headless"),
        ({"java": "echo 'openjdk version \"11.0.2\"'"}, "older than 17: .*openjdk-17"),
        ({"java": "echo 'openjdk version \"17.0.15\"'"}, "mvn is missing: .*apt install maven"),
    ],
    ids=["no java", "old java", "no maven"],
)
def test_what_is_missing_is_one_line_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: dict[str, str], told: str
) -> None:
    for name, script in there.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match=told) as error:
        Distribution(cache=tmp_path / "cache").bring()
    assert len(str(error.value).splitlines()) == 1


def test_maven_that_fails_or_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mvn = tmp_path / "mvn"
    mvn.write_text("#!/bin/sh\necho no such artifact; exit 1\n")
    mvn.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(distribution, "BRING_AGAIN_S", 0.0)
    with pytest.raises(CannotStart, match=r"(?s)did not bring Kafka 4\.4\.0.*no such artifact"):
        Distribution(cache=tmp_path / "cache").bring()
    mvn.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(distribution, "BRING_S", 0.2)
    with pytest.raises(CannotStart, match="took longer"):
        Distribution(cache=tmp_path / "cache").bring()
    assert not Distribution(cache=tmp_path / "cache").libs.exists()


def test_a_mirror_that_fails_once_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mvn = tmp_path / "mvn"
    mvn.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/asked ] || {{ touch {tmp_path}/asked; exit 1; }}\n"
        'for each in "$@"; do case $each in -DoutputDirectory=*) mkdir "${each#*=}";; esac; done\n'
    )
    mvn.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(distribution, "BRING_AGAIN_S", 0.0)
    Distribution(cache=tmp_path / "cache").bring()
    assert Distribution(cache=tmp_path / "cache").libs.is_dir()


def test_every_word_of_the_properties_is_filled_in_and_two_nodes_are_refused(
    tmp_path: Path,
) -> None:
    ports = free_ports(6)
    assert len(set(ports)) == 6
    places = [Place(at + 1, ports[at], ports[at + 3], tmp_path) for at in range(3)]
    for count in (1, 3):
        lines = rendered(places[0], places[:count]).splitlines()
        assert not [line for line in lines if "$" in line and not line.startswith("#")]
        assert f"min.insync.replicas={1 if count == 1 else 2}" in lines
    with pytest.raises(ValueError, match="2 nodes"):
        Cluster(Distribution(), tmp_path, [LOOPBACK] * 2)


def test_a_child_is_started_by_the_main_thread_only(tmp_path: Path) -> None:
    errors: list[str] = []

    def start() -> None:
        try:
            spawn(["true"], output=tmp_path / "out")
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert errors == ["a child dies with the thread that starts it: start it in the main one"]
