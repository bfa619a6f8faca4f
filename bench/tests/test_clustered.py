"""Our services as processes of their own: as a contestant, with more than one gateway."""

from functools import partial
from pathlib import Path

import pytest

from bench.clustered import Clustered
from bench.contestant import CONNECTIONS_OF_A_PROCESS, processes_for
from bench.listeners import Listeners
from bench.plan import Plan
from bench.results import OURS, Results
from bench.rostrum import channels_of
from bench.scenarios import crowd
from bench.scenarios.storm import storm
from bench.ways import Load, Way

MANY = 20
LOAD = Load(MANY, deadline_s=60, life_s=120)

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("broker")]


def test_a_post_comes_once_to_each_at_several_gateways(tmp_path: Path) -> None:
    rostrum = Clustered(None, processes_for(CONNECTIONS_OF_A_PROCESS + 1))
    rostrum.start(tmp_path)
    try:
        assert (len(rostrum.targets), len(rostrum.pids())) == (2, 2)
        for way in (Way.POLL, Way.PACKED):
            with Listeners(rostrum.listening(way, MANY), LOAD) as listeners:
                send = partial(rostrum.send, way)
                assert listeners.wake(rostrum.next_id, send, again=True).woken == MANY
                assert listeners.end() == {}
        assert len(set(channels_of(rostrum.owner, 3))) == 3
        assert channels_of(rostrum.owner, 3) == channels_of(rostrum.owner, 3)
    finally:
        rostrum.stop()
    assert rostrum.pids() == []


def test_a_crowd_has_each_post_once_and_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"POSTS": 3, "EVERY_S": 0.3, "DURING_S": 0.2, "QUIET_S": 0.2}.items():
        monkeypatch.setattr(crowd, name, value)
    results = Results(MANY)
    crowd.crowd(Plan(MANY, 1, [Way.POLL, Way.SSE], tmp_path), results)
    assert results.told() == []
    for way in ("poll", "sse"):
        found = {
            name: results.row(f"crowd {way}", name, OURS).value
            for name in ("deliveries", "p50", "p99", "worst p99", "last", "rest p50", "rest p99")
        }
        assert found["deliveries"] == 3 * MANY
        assert 0 < found["p50"] <= found["p99"] <= found["worst p99"] <= found["last"]
        assert 0 < found["rest p50"] <= found["rest p99"]


def test_a_storm_is_over_when_all_are_back_and_nothing_is_lost(tmp_path: Path) -> None:
    results = Results(MANY)
    storm(Plan(MANY, 1, [Way.JSON, Way.SSE], tmp_path), results)
    assert results.told() == []
    for way in ("ws-json", "sse"):
        row = results.row(f"storm {way}", "back", OURS)
        assert row.value > 0
        assert row.ratio is not None
