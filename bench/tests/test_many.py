"""Scenarios of our own alone: other routes during wakes, and many channels a connection."""

from pathlib import Path

import pytest

from bench.embedded import Embedded
from bench.floors import in_c
from bench.plan import Plan
from bench.results import OURS
from bench.run import run
from bench.scenarios import rest, slow, watches
from bench.ways import Way

MANY = 20
CHANNELS = 5


def test_other_routes_are_read_while_all_are_woken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "SECONDS", 1.0)
    monkeypatch.setattr(rest, "EVERY_S", 0.4)
    contestants = [in_c(None, MANY), Embedded(None)]
    results = run(Plan(MANY, 1, [Way.POLL, Way.JSON], tmp_path), ["rest"], contestants, str)
    assert results.told() == []
    for way in ("poll", "ws-json"):
        scenario = f"rest {way}"
        assert results.measured(scenario, "p99") == [OURS], "the floor has no other routes"
        assert results.row(scenario, "wakes", OURS).value >= 2
        p50, p99 = (results.row(scenario, name, OURS).value for name in ("p50", "p99"))
        assert 0 < p50 <= p99


def test_many_channels_a_connection_are_weighed_against_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "CHANNELS", CHANNELS)
    contestants = [in_c(None, MANY), Embedded(None)]
    results = run(Plan(MANY, 1, list(Way), tmp_path), ["watches"], contestants, str)
    assert results.told() == []
    assert {scenario for scenario, _ in results.metrics} == {"watches ws-json", "watches sse"}
    for scenario in ("watches ws-json", "watches sse"):
        one, many, over = (
            results.row(scenario, name, OURS).value
            for name in ("cpu of one", "cpu of many", "cpu over one")
        )
        assert over == pytest.approx(many / one, rel=0.01)


def test_a_few_are_sent_a_message_among_many_who_wait_elsewhere(tmp_path: Path) -> None:
    contestants = [in_c(None, MANY), Embedded(None)]
    results = run(Plan(MANY, 1, list(Way), tmp_path), ["mix"], contestants, str)
    assert results.told() == []
    assert {scenario for scenario, _ in results.metrics} == {
        *("mix ws-json", "mix ws-msgpack", "mix sse")
    }
    assert {who for _, _, who in results.runs} == {OURS}


def test_who_reads_nothing_is_weighed_and_the_others_are_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"CONNECTIONS": MANY, "DEAF": 2, "WAVES": 1, "MESSAGES": 10}.items():
        monkeypatch.setattr(slow, name, value)
    contestants = [in_c(None, MANY), Embedded(None)]
    results = run(Plan(MANY, 1, [Way.JSON, Way.SSE], tmp_path), ["slow"], contestants, str)
    assert results.told() == []
    for scenario in ("slow ws-json", "slow sse"):
        alone, beside, over = (
            results.row(scenario, name, OURS).value
            for name in ("last alone", "last beside slow ones", "beside over alone")
        )
        assert over == pytest.approx(beside / alone, rel=0.01)
        assert results.measured(scenario, "slow") == [OURS]
