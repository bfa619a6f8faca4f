"""What a run ends with: figures of all processes, and what is a finding."""

from dataclasses import replace

import pytest

from cli.loading.screen import Screen, report, told
from cli.loading.summary import Summary
from cli.loading.words import OfPosts, OfWay, Stats, Verdict

STATS = Stats(
    ways={"poll": OfWay(followers=2, connected=2, delivered=10, steps={0: 10})},
    posts=OfPosts(sent=5, acknowledged=5, steps={100: 5}),
    errors={},
    late_ms=3.25,
)
VERDICT = Verdict(
    expected={"poll": 10}, lost={"poll": 0}, differing=0, unfounded=0, written_again=0
)
WELL = Summary([STATS, STATS], [VERDICT, VERDICT])


def test_processes_are_added_up() -> None:
    (way,) = WELL.ways()
    assert (way["followers"], way["delivered"], way["expected"], way["lost"]) == (4, 20, 20, 0)
    assert (way["p50_ms"], way["p99_ms"]) == (1.0, 1.0)
    assert (WELL.posts()["acknowledged"], WELL.posts()["p50_ms"]) == (10, 7.24)
    assert (WELL.findings(), WELL.late_ms) == ([], 3.2)


def test_each_thing_that_must_be_0_is_a_finding() -> None:
    wrong = Verdict(
        expected={"poll": 10}, lost={"poll": 3}, differing=1, unfounded=2, written_again=4
    )
    of_way = OfWay(followers=2, connected=2, repeated=1, out_of_order=6, steps={})
    stats = Stats(ways={"poll": of_way}, posts=STATS.posts, errors={}, late_ms=0)
    assert replace(WELL, stats=[stats], verdicts=[wrong]).findings() == [
        "3 deliveries were lost",
        "5 came or were written again",
        "6 came out of order",
        "1 were not the same for everybody",
        "2 acknowledged posts are not where they were said to be",
    ]


def test_a_run_in_which_nothing_went_through_is_a_finding() -> None:
    of_way = OfWay(followers=2, connected=1, steps={})
    stats = Stats(ways={"poll": of_way}, posts=OfPosts(sent=5, steps={}), errors={}, late_ms=0)
    found = Summary([stats], [VERDICT]).findings()
    assert found == ["no post was acknowledged"]


def test_people_read_every_figure_and_every_error(capsys: pytest.CaptureFixture[str]) -> None:

    report(WELL, {"post: limit_hit": 3})
    out = capsys.readouterr().out.splitlines()
    assert out[0].split("  ")[0] == "way"
    assert "posts: 10 sent, 10 acknowledged" in "\n".join(out)
    assert "judged: 0 lost, 0 repeated, 0 out of order, 0 differing, 0 unfounded" in out
    assert out[-1] == "error: 3 x post: limit_hit"


def test_programs_are_told_the_same() -> None:
    document = told(WELL, {"e": 1})
    assert (document["ok"], document["findings"], document["errors"]) == (True, [], {"e": 1})
    assert document["judgement"]["lost"] == 0


def test_without_a_terminal_each_phase_is_noted_once(capsys: pytest.CaptureFixture[str]) -> None:

    with Screen(is_quiet=False) as screen:
        for doing in ("connecting", "posting", "posting"):
            screen(doing, WELL)
    assert capsys.readouterr() == ("", "connecting ...\nposting ...\n")
