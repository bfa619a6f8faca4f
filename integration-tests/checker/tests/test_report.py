"""A verdict as a page, as JSON and from the command line."""

import json as std_json
from collections.abc import Sequence
from pathlib import Path

import pytest

from checker.__main__ import main
from checker.history import Deliver, Event, Failed, Invoke, Ok, Writer
from checker.judge import judge
from checker.report import EVENTS_SHOWN, FINDINGS_SHOWN, json, markdown
from checker.tests.mutants import MUTANTS, altered
from checker.tests.story import MS, S, is_of, story, with_these, without


def _mutant(name: str) -> list[Event]:
    return altered(next(mutant for mutant in MUTANTS if mutant.name == name))


def _written(path: Path, history: Sequence[Event]) -> str:
    with Writer(path) as writer:
        for event in history:
            writer.write(event)
    return str(path)


def test_a_page_names_the_law_and_shows_the_events_that_prove_it() -> None:
    page = markdown(judge(_mutant("an acknowledged id is of another post")))
    assert "## L1 wrong-id: 1" in page
    assert "c/11 was acknowledged for k12 of ann, and is k11 of ann" in page
    assert '{"event":"ok","t_ns":12002000000,' in page
    assert "| retry first | 2 |" in page


def test_a_page_of_a_clean_history_says_so() -> None:
    page = markdown(judge(story()))
    assert "**clean**: 28 acknowledgements of 30 posts" in page
    assert "\n## L" not in page


def test_a_page_shows_few_findings_of_many_and_says_how_many_there_are() -> None:
    page = markdown(judge(without(story(), is_of(Deliver, via="final"))))
    assert "## L1 lost: 56" in page
    assert page.count(" has not got it:") == 2 * FINDINGS_SHOWN


def test_a_page_shows_few_events_of_many_and_says_how_many_are_left() -> None:
    tries = [
        Failed(31 * S + number, "p", "c", "ann", "k12", "not_written", number)
        for number in range(2, 9)
    ]
    asked = [Invoke(31 * S, "p", "c", "ann", "k12", "text k12", True, one.attempt) for one in tries]
    refused = Failed(12 * S + 2 * MS, "p", "c", "ann", "k12", "not_written")
    history = without(story(), is_of(Ok, client_id="k12"))
    page = markdown(judge(with_these(history, refused, *asked, *tries)))
    assert "all of whose attempts failed" in page
    assert page.count('    {"event"') == EVENTS_SHOWN
    assert f"    and {2 * 8 + 1 - EVENTS_SHOWN} more" in page


def test_json_holds_everything() -> None:
    verdict = judge(_mutant("a final reader lacks an acknowledged entry"))
    whole = std_json.loads(json(verdict))
    assert whole["is_clean"] is False
    assert {(one["law"], one["kind"]) for one in whole["findings"]} == verdict.kinds()
    assert whole["findings"][0]["evidence"][0]["event"] == "invoke"
    assert whole["figures"]["counts"]["voids"] == 2


def test_the_command_merges_files_and_fails_unless_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [event for event in story() if hasattr(event, "process")]
    others = [event for event in story() if not hasattr(event, "process")]
    posts = _written(tmp_path / "posts.jsonl", asked)
    reads = _written(tmp_path / "reads.jsonl", others)
    assert main([posts, reads]) == 0
    assert "**clean**" in capsys.readouterr().out
    broken = _written(tmp_path / "b.jsonl", _mutant("a text that nobody sent"))
    assert main(["--json", broken]) == 1
    assert std_json.loads(capsys.readouterr().out)["findings"][0]["kind"] == "phantom"
