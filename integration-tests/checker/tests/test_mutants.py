"""Every way to break a law is found and named, by one rule and by no other."""

import pytest

from checker.history import Deliver
from checker.judge import EMPTY, RULES, judge
from checker.limits import Limits
from checker.tests.mutants import MUTANTS, Mutant, altered
from checker.tests.story import changed, is_of, story
from checker.verdict import KINDS

# Kinds that are not called like their rule.
SESSIONS = {"skipped", "repeat", "reorder", "wrong-resume", "wrong-epoch"}


def _rule_of(kind: str) -> str:
    return "sessions" if kind in SESSIONS else kind


def test_the_story_is_clean() -> None:
    assert judge(story()).findings == ()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_found_and_named(mutant: Mutant) -> None:
    verdict = judge(altered(mutant))
    named = {(mutant.law, mutant.kind), *((KINDS[kind], kind) for kind in mutant.also)}
    assert verdict.kinds() == named
    assert all(found.what and found.evidence for found in verdict.findings)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_off_misses_its_mutants_and_no_others(rule: str) -> None:
    rest = {name: each for name, each in RULES.items() if name != rule}
    missed = {
        mutant.name
        for mutant in MUTANTS
        if (mutant.law, mutant.kind) not in judge(altered(mutant), rules=rest).kinds()
    }
    assert missed == {mutant.name for mutant in MUTANTS if _rule_of(mutant.kind) == rule}
    assert missed


def test_every_kind_of_finding_has_a_mutant() -> None:
    assert {mutant.kind for mutant in MUTANTS} == set(KINDS) - {EMPTY}


def test_nothing_is_no_proof() -> None:
    assert judge([]).kinds() == {("history", "empty")}


def test_a_repeat_beyond_the_window_is_a_finding_only_while_hints_are_promised() -> None:
    fields = {"type": "message", "author": "ann", "client_id": "k5", "text": "text k5"}
    history = changed(story(), is_of(Deliver, id=15), **fields, dup_of=None)
    history = changed(history, is_of(Deliver, id=8), **fields, dup_of=None)
    assert judge(history, Limits(window=2)).kinds() == {("L5", "repeated")}
    assert judge(history, Limits(window=2, hints=False)).kinds() == set()
    assert judge(history, Limits(window=3, hints=False)).kinds() == {
        ("L5", "repeated"),
        ("L5", "void-verdict"),
    }


def test_a_void_because_of_what_is_too_far_is_a_finding() -> None:
    assert judge(story(), Limits(window=7)).kinds() == set()
    assert judge(story(), Limits(window=6)).kinds() == {("L5", "void-verdict")}


def test_a_void_of_nobody_is_legal_where_others_write() -> None:
    mutant = next(each for each in MUTANTS if each.name == "a void of no post")
    assert judge(altered(mutant), Limits(foreign=True)).kinds() == set()
