"""The page tells what happened, and what rare things were seen."""

import json
from pathlib import Path

from faults.report import Evidence, line_of, report_of, write

from checker.history import Deliver, Event, Fault, Final, Invoke, Ok, Resume, Unknown

S = 1_000_000_000


def attempt(at: float, key: str, number: int) -> Invoke:
    return Invoke(int(at * S), key, "c", "ada", key, f"post {key}", retry=False, attempt=number)


def told(at: float, key: str, ident: int, number: int, *, is_new: bool) -> Ok:
    return Ok(int(at * S), key, "c", "ada", key, ident, is_new, number)


def lost(at: float, key: str, number: int) -> Unknown:
    return Unknown(int(at * S), key, "c", "ada", key, "timeout", number)


def given(ident: int, key: str, dup_of: int | None = None) -> Deliver:
    """As clients see it: a void entry names neither author nor key."""
    where = (90 * S, "final", "final", "c", 1, ident)
    if dup_of is not None:
        return Deliver(*where, "void", "", "", None, dup_of, "final")
    return Deliver(*where, "message", "ada", key, f"post {key}", None, "final")


def history() -> list[Event]:
    """`a`: plain; `b`: the retry landed first, its original is void; `d`: the retry found the
    original. In between a broker stood still."""
    return [
        *(attempt(1, "a", 1), told(1.1, "a", 1, 1, is_new=True)),
        Fault(5 * S, "SIGSTOP: leader", "broker-1", "begin"),
        *(attempt(6, "b", 1), lost(7, "b", 1), attempt(7.5, "b", 2)),
        told(8, "b", 2, 2, is_new=True),
        Fault(9 * S, "SIGSTOP: leader", "broker-1", "end"),
        *(attempt(20, "d", 1), lost(21, "d", 1), attempt(21.5, "d", 2)),
        told(21.6, "d", 4, 2, is_new=False),
        Resume(89 * S, "final", "final", "c", 1, 0),
        *(given(1, "a"), given(2, "b"), given(3, "b", dup_of=2), given(4, "d")),
        Final(91 * S, "final", "c", 4),
    ]


def test_rare_things_are_counted() -> None:
    report = report_of(1, history())
    assert report.is_clean, report.findings
    assert report.evidence == Evidence(
        unknown_outcomes=2,
        voids=1,
        retries_before_their_originals=1,
        retries_with_the_first_id=1,
    )
    assert (report.posts, report.attempts, report.faults) == (3, 5, 1)


def test_the_outage_is_in_the_row_of_its_fault() -> None:
    rows = {figure.sort: figure for figure in report_of(1, history()).figures}
    assert round(rows["SIGSTOP: leader"].posts_alone_s, 1) == 2.0
    assert rows["SIGSTOP: leader"].times == 1


def test_a_page_for_people_and_one_for_programs_are_written(tmp_path: Path) -> None:
    report = report_of(3, history())
    write(report, tmp_path, replay="again so")
    page = (tmp_path / "report.md").read_text("utf-8")
    assert "Every law held." in page
    assert "| SIGSTOP: leader | 1 | 1 | 2.0 | - | - | - |" in page
    assert "`again so`" in page
    found = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert found["evidence"]["voids"] == 1
    assert line_of(report).startswith("seed 3: clean; 3 posts in 5 attempts")


def test_a_broken_law_is_on_the_page(tmp_path: Path) -> None:
    broken = [event for event in history() if not (isinstance(event, Deliver) and event.id == 4)]
    report = report_of(3, broken)
    write(report, tmp_path, replay="again so")
    assert "- L1 unseen: " in (tmp_path / "report.md").read_text("utf-8")
    assert "BROKEN" in line_of(report)


def test_what_was_not_well_in_time_is_a_finding() -> None:
    report = report_of(1, history(), ["chat is not ready"])
    assert report.findings == ["chat is not ready"]
