"""The runner measures all by turns, says what it could not measure, and reports."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.clustered import Clustered
from bench.contestant import Contestant
from bench.desk import Unexpected
from bench.embedded import Embedded
from bench.floors import in_c, in_python
from bench.peers.nchan import Nchan
from bench.plan import Plan
from bench.run import run
from bench.ways import Listening, Way
from deploy.kafka.distribution import CannotStart

MANY = 20
NOTHING = "not there: install it"


class Missing(Contestant):
    """A peer that this machine does not have."""

    name = "missing"
    ways = frozenset(Way)

    def start(self, folder: Path) -> None:
        raise CannotStart(NOTHING)

    def stop(self) -> None:
        pass

    def listening(self, way: Way, connections: int) -> Listening:
        raise AssertionError("it does not run")

    def send(self, way: Way) -> None:
        raise AssertionError("it does not run")

    def pids(self) -> Sequence[int]:
        return []


class Mute(Missing):
    """Starts, and lets nobody in."""

    name = "mute"

    def start(self, folder: Path) -> None:
        pass

    def listening(self, way: Way, connections: int) -> Listening:
        return Listening(way, ["127.0.0.1:9"], "/")


def plan(folder: Path, *ways: Way) -> Plan:
    """Two rounds of twenty."""
    return Plan(MANY, 2, ways or list(Way), folder)


def test_all_contestants_have_as_many_turns_in_every_scenario(tmp_path: Path) -> None:
    contestants = [in_c(None, MANY), in_python(None, MANY)]
    told: list[str] = []
    results = run(plan(tmp_path), ["wake", "connects", "memory"], contestants, told.append)
    assert results.told() == []
    assert told == [f"{name}: C loop, bare asyncio" for name in ("wake", "connects", "memory")]
    assert {len(runs) for runs in results.runs.values()} == {2}
    in_each_way = {f"{name} {way.value}" for name in ("wake", "memory") for way in Way}
    by_streams = {f"connects {way.value}" for way in Way if way is not Way.POLL}
    assert {scenario for scenario, _ in results.metrics} == in_each_way | by_streams
    assert {who for _, _, who in results.runs} == {"C loop", "bare asyncio"}
    assert all(each.pids() == [] for each in contestants)


def test_everybody_is_first_in_some_round(tmp_path: Path) -> None:
    contestants = [in_c(None, MANY), in_python(None, MANY)]
    turns = [each.name for each in plan(tmp_path).turns(contestants)]
    assert turns == ["C loop", "bare asyncio", "bare asyncio", "C loop"]


class Forgetful(Missing):
    """Lets everybody in, and then takes no message."""

    name = "forgetful"

    def __init__(self) -> None:
        super().__init__(None)
        self._floor = in_c(None, MANY)

    def start(self, folder: Path) -> None:
        self._floor.start(folder)

    def stop(self) -> None:
        self._floor.stop()

    def listening(self, way: Way, connections: int) -> Listening:
        return self._floor.listening(way, connections)

    def send(self, way: Way) -> None:
        raise Unexpected("POST /messages: 503")


def test_a_server_that_takes_no_message_is_noted(tmp_path: Path) -> None:
    results = run(plan(tmp_path, Way.JSON), ["wake"], [Forgetful()], str)
    assert results.told() == ["forgetful: wake ws-json: POST /messages: 503 (2 times)"]


def test_what_did_not_start_can_be_stopped(tmp_path: Path) -> None:
    """As it is, whatever else fails."""
    for contestant in (Embedded(None), Clustered(None, 1), in_c(None, 1), Nchan(None, 1)):
        contestant.stop()


def test_a_peer_that_is_missing_is_noted_and_the_others_are_measured(tmp_path: Path) -> None:
    contestants = [Missing(None), in_c(None, MANY)]
    results = run(plan(tmp_path, Way.JSON), ["wake"], contestants, str)
    assert results.told() == [f"missing: {NOTHING}"]
    assert {who for _, _, who in results.runs} == {"C loop"}


@pytest.mark.parametrize("scenario", ["wake", "connects", "memory"])
def test_a_server_that_lets_nobody_in_is_noted(scenario: str, tmp_path: Path) -> None:
    results = run(plan(tmp_path, Way.JSON), [scenario], [Mute(None)], str)
    (note,) = results.told()
    assert "Connection refused" in note
    assert note.endswith("(2 times)")
    assert results.rows() == []


def test_the_command_measures_ours_beside_the_floors_and_reports(tmp_path: Path) -> None:
    words = (
        f"--connections {MANY} --rounds 1 --only wake --ways ws-json --peers nats --out {tmp_path}"
    )
    assert main(words.split()) == 0
    rows = json.loads((tmp_path / "report.json").read_text("utf-8"))
    metrics = {row["metric"] for row in rows if row["scenario"] == "wake ws-json"}
    assert {"last", "last (C loop)", "last (bare asyncio)"} <= metrics
    assert (tmp_path / "report.md").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--only speed", "known are wake"),
        ("--ways carrier-pigeon", "known are poll"),
        ("--peers none,us", "known are nchan"),
        ("--connections 0", "no number from 1 to 50,000"),
        ("--connections 50001", "no number from 1 to 50,000"),
        ("--rounds many", "no number from 1 to 100"),
    ],
)
def test_what_is_not_known_is_said(
    words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words.split())
    assert says in capsys.readouterr().err
