"""Rows are what a program may rely on; bars are judged only where they may be."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from bench.plan import Plan
from bench.report import write_report
from bench.results import Bar, Curve, Metric, Results, Row
from bench.ways import Way

LAST = Metric("last", "ms", "to the last", Bar(ratio=1.15, connections=1_000))
RATE = Metric("rate", "a second", "how many", Bar(value=10, is_least=True), more_is_better=True)
KEYS = [
    *("scenario", "metric", "value", "unit", "floor", "ratio"),
    *("best", "median", "runs", "bar", "holds"),
]


def measured(connections: int = 1_000, ours: float = 23.0) -> Results:
    """Three runs of us, of the floor and of a peer."""
    results = Results(connections)
    for spread in (-1.0, 1.0, 0.0):
        for who, value in (("C loop", 20.0), ("nchan", 30.0), ("Rostrum", ours)):
            results.add("wake", who, LAST, value + spread)
            results.add("rate", who, RATE, value + spread)
    return results


def of(results: Results, scenario: str) -> Row:
    """Our row."""
    return next(row for row in results.rows() if row.scenario == scenario)


def test_a_row_has_the_keys_that_programs_read() -> None:
    assert [field.name for field in fields(Row)] == KEYS
    assert all(list(row) == KEYS for row in measured().as_json())


def test_a_value_is_the_median_and_its_floor_is_that_of_the_same_run() -> None:
    row = of(measured(), "wake")
    assert (row.value, row.median, row.best, row.floor) == (23.0, 23.0, 22.0, 20.0)
    assert (row.ratio, row.runs) == (1.15, [22.0, 24.0, 23.0])


def test_the_best_of_a_rate_is_the_most() -> None:
    assert of(measured(), "rate").best == 24.0


def test_ours_comes_first_and_others_are_named() -> None:
    rows = [row for row in measured().rows() if row.scenario == "wake"]
    assert [row.metric for row in rows] == ["last", "last (C loop)", "last (nchan)"]
    assert [(row.floor, row.bar) for row in rows[1:]] == [(None, None), (20.0, None)]


@pytest.mark.parametrize(
    ("ours", "connections", "holds"),
    [(23.0, 1_000, True), (23.1, 1_000, False), (23.1, 999, None), (23.0, 2_000, True)],
)
def test_a_bar_is_judged_from_its_size_on(
    ours: float, connections: int, *, holds: bool | None
) -> None:
    row = of(measured(connections, ours), "wake")
    assert (row.holds, row.bar) == (holds, "ratio <= 1.15 at 1,000")


def test_a_bar_that_is_a_least_value_needs_no_floor() -> None:
    results = Results(1)
    results.add("rate", "Rostrum", RATE, 9.0)
    row = of(results, "rate")
    assert (row.holds, row.floor, row.ratio, row.bar) == (False, None, None, ">= 10")


def test_a_ratio_without_a_floor_is_not_judged() -> None:
    results = Results(1_000)
    results.add("wake", "Rostrum", LAST, 9.0)
    assert of(results, "wake").holds is None


def test_a_bar_over_the_floor_is_judged_by_the_difference() -> None:
    held = Metric("p50", "ms", "half", Bar(over=5))
    results = Results(1)
    for who, value in (("C loop", 3.0), ("Rostrum", 8.0)):
        results.add("near", who, held, value)
        results.add("far", who, held, value + (who == "Rostrum") / 10)
    assert [(of(results, name).holds, of(results, name).bar) for name in ("near", "far")] == [
        (True, "over the floor <= 5"),
        (False, "over the floor <= 5"),
    ]


def test_a_report_is_written_for_programs_and_for_people(tmp_path: Path) -> None:
    results = measured()
    for who in ("Rostrum", "C loop"):
        for last in (20.0, 40.0, 30.0):
            results.curves.append(Curve("wake", who, {0.0: 1.0, 50.0: last / 2, 100.0: last}))
    results.note("pushpin", "it is missing")
    results.note("pushpin", "it is missing")
    write_report(Plan(1_000, 3, [Way.POLL], tmp_path), results, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == results.as_json()
    page = (tmp_path / "report.md").read_text("utf-8")
    assert "| last | 23 (22) | 20 (19) | 30 (29) | 1.15 | ratio <= 1.15 at 1,000 | yes |" in page
    assert page.count("- pushpin: it is missing (2 times)") == 1
    picture = (tmp_path / "plots" / "wake.svg").read_text("utf-8")
    assert "![who had come when](plots/wake.svg)" in page
    assert all(text in picture for text in ("Rostrum", "C loop", "% of all have it"))


def test_a_run_is_whole_when_ours_and_the_floor_were_measured() -> None:
    results = measured()
    results.note("nchan", "it is missing")
    assert results.has_all_of_ours()
    results.note("Rostrum", "it ended")
    assert not results.has_all_of_ours()


@pytest.mark.parametrize(("value", "holds"), [(20.0, True), (19.0, False), (9.0, False)])
def test_a_bar_of_value_and_ratio_wants_both(value: float, *, holds: bool) -> None:
    """Twice the floor's ten is twenty."""
    bar = Bar(value=10, ratio=2, is_least=True)
    results = Results(1)
    results.add("posts", "Rostrum", Metric("rate", "", "", bar, floor="producer"), value)
    results.add("posts", "producer", Metric("rate", "", "", bar, floor="producer"), 10.0)
    row = of(results, "posts")
    assert (row.holds, row.floor, row.bar) == (holds, 10.0, ">= 10 and ratio >= 2")
