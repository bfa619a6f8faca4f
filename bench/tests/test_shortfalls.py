"""A bar that is not reached is named with by how much, and with what is known of it."""

import importlib
from pathlib import Path

import pytest

from bench.plan import Plan
from bench.report import write_report
from bench.results import Bar, Metric, Results
from bench.scenarios.table import LISTENING, OTHERS
from bench.shortfalls import NOTHING, shortfalls, written
from bench.ways import Way

WAYS_LEAST = 3
LAST = Metric("last", "ms", "to the last", Bar(ratio=1.25, connections=1_000))
RATE = Metric("rate", "a second", "how many", Bar(value=10, ratio=0.5, is_least=True))


def measured(last: float, rate: float = 20.0, connections: int = 1_000) -> Results:
    """A run, with a floor of 20 each."""
    results = Results(connections)
    for who, of_last, of_rate in (("C loop", 20.0, 20.0), ("Rostrum", last, rate)):
        results.add("wake poll", who, LAST, of_last)
        results.add("posts", who, RATE, of_rate)
    return results


def section(results: Results, **texts: str) -> str:
    """What is said of a run."""
    named = {name.replace("__", ": ").replace("_", " "): text for name, text in texts.items()}
    return "\n".join(shortfalls(results, named))


def test_what_fell_short_is_said_with_by_how_much_and_with_its_text() -> None:
    said = section(measured(30.0), wake_poll__last="Tried: much.", posts__rate="Not in here.")
    assert "### wake poll: last\n\nratio 1.5, 20.0% over 1.25.\n\nTried: much.\n" in said
    assert "posts" not in said


def test_each_limit_of_a_bar_is_told_that_is_missed() -> None:
    said = section(measured(20.0, rate=8.0))
    assert "8, 20.0% under 10; ratio 0.4, 20.0% under 0.5.\n" in said
    # Of a floor that does less itself.
    results = Results(1)
    for who, rate in (("C loop", 10.0), ("Rostrum", 8.0)):
        results.add("posts", who, RATE, rate)
    assert "\n8, 20.0% under 10.\n" in section(results)


def test_a_text_of_all_ways_is_that_of_each_without_its_own() -> None:
    assert "Of all." in section(measured(30.0), wake__last="Of all.")
    said = section(measured(30.0), wake__last="Of all.", wake_poll__last="Of polls.")
    assert ("Of polls." in said, "Of all." in said) == (True, False)


def test_where_nothing_is_written_that_is_said() -> None:
    assert NOTHING in section(measured(30.0))


def test_a_run_in_which_all_hold_says_so_and_one_without_bars_says_nothing() -> None:
    assert "None of those" in section(measured(20.0))
    assert section(Results(1)) == ""


def test_a_report_has_them(tmp_path: Path) -> None:
    results = Results(50_000)
    for who, last in (("C loop", 20.0), ("Rostrum", 40.0)):
        results.add("wake poll", who, Metric("wake", "ms", "", Bar(ratio=1.15)), last)
    write_report(Plan(50_000, 1, [Way.POLL], tmp_path), results, tmp_path)
    page = (tmp_path / "report.md").read_text("utf-8")
    assert "ratio 2, 73.9% over 1.15." in page
    assert written()["wake: wake"] in page


@pytest.mark.parametrize("name", written())
def test_what_is_written_is_of_a_bar_and_names_what_was_tried(name: str) -> None:
    scenario, metric = name.split(": ")
    word = scenario.split()[0]
    assert word in {*LISTENING, *OTHERS}
    members = vars(importlib.import_module(f"bench.scenarios.{word}")).values()
    barred = {each.name for each in members if isinstance(each, Metric) and each.bar}
    assert metric in barred
    tried, rest = written()[name].split("The rest:")
    assert tried.count("\n- ") >= WAYS_LEAST
    assert rest.strip()
