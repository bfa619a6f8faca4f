"""Peers are measured by the same client in each way that they have. Those that are not installed
are skipped: nothing of ours needs them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bench.contestant import CONNECTIONS_OF_A_PROCESS, Contestant, settle
from bench.listeners import Listeners
from bench.peers import PEERS
from bench.peers.peer import HERE
from bench.ways import Load, Way
from deploy.kafka.distribution import CannotStart

MANY = 5
# Slowly: Pushpin drops some of those who come at once, which is not what is tried here.
LOAD = Load(MANY, connects_per_s=20, deadline_s=30, life_s=60)
NAMES = pytest.mark.parametrize("name", PEERS)


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Contestant]:
    """Each of them, started."""
    made = PEERS[request.param](None, MANY)
    try:
        made.start(tmp_path)
    except CannotStart as fault:
        if "is missing" in str(fault):
            pytest.skip(reason=f"a peer that nothing of ours needs: {fault}")
        raise
    yield made
    made.stop()
    assert made.pids() == []


def test_each_message_comes_once_in_each_way_of_a_peer(peer: Contestant) -> None:
    for way in peer.ways:
        with Listeners(peer.listening(way, MANY), LOAD) as listeners:
            settle(peer, MANY)
            assert listeners.wake(peer.next_id, partial(peer.send, way)).woken == MANY
        assert listeners.faults == {}
    assert peer.cpu_ns() > 0
    assert peer.rss_bytes() > 1 << 20


@NAMES
def test_a_peer_says_what_installs_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("bench.peers.peer.INSTALLED", Path("nowhere"))
    install = HERE / PEERS[name].__name__.lower() / "install"
    with pytest.raises(CannotStart, match=f"is missing: run bench/peers/{install.parent.name}/"):
        PEERS[name](None, MANY).start(Path("/tmp"))
    assert install.stat().st_mode & 0o111


@pytest.mark.parametrize("name", ["pushpin", "nats", "socketio"])
def test_a_peer_of_one_process_takes_no_more_than_it_can_hold(name: str, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="holds no more than"):
        PEERS[name](None, CONNECTIONS_OF_A_PROCESS + 1).start(tmp_path)


def test_nobody_waits_for_ever_for_a_peer_that_does_not_settle(
    peer: Contestant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.contestant.SETTLES_S", 0.1)
    monkeypatch.setattr(peer, "has_settled", lambda _: False)
    with pytest.raises(TimeoutError, match="not all of 5 listen"):
        settle(peer, MANY)
    assert Way.JSON in peer.ways
