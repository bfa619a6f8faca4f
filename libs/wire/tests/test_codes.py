import re
from collections import Counter
from pathlib import Path

import pytest

from libs.wire import codes
from libs.wire.codes import CLASSES, CODES, OutcomeUnknown, Problem, Refused, TryAgain, problem

BRANCH = re.compile(r"[├└]── (\w+) +retry: (\S+)")
LEAF = re.compile(r"[│ ]*(\d{3})((?:  ?[a-z_]+)+)")


def _drawn() -> list[tuple[str, int, type[Problem]]]:
    rows, kind = [], Problem
    for line in (codes.__doc__ or "").splitlines():
        if branch := BRANCH.search(line):
            kind = getattr(codes, branch[1])
            assert kind.retry == branch[2]
        elif leaf := LEAF.fullmatch(line):
            rows += [(name, int(leaf[1]), kind) for name in leaf[2].split()]
    return rows


def test_every_code_is_drawn_once_with_its_status_and_class() -> None:
    drawn = _drawn()
    assert max(Counter(name for name, _, _ in drawn).values()) == 1
    assert {name: (status, kind) for name, status, kind in drawn} == {
        name: (code.status, CLASSES[code.retry]) for name, code in CODES.items()
    }


def test_every_code_is_defined_once() -> None:
    source = Path(codes.__file__).read_text(encoding="utf-8")
    names = re.findall(r'^        \(\d{3}, "(\w+)", "', source, re.MULTILINE)
    assert Counter(names) == Counter(list(CODES))


@pytest.mark.parametrize("name", CODES)
def test_every_code_makes_a_problem_of_its_class_and_a_whole_document(name: str) -> None:
    made = problem(name, "what happened", field="text", retry_after_s=3)
    assert type(made) is CLASSES[CODES[name].retry]
    assert made.document("trace-1") == {
        "type": f"urn:rostrum:problem:{name}",
        "title": CODES[name].title,
        "status": CODES[name].status,
        "code": name,
        "detail": "what happened",
        "retry": CODES[name].retry,
        "trace_id": "trace-1",
        "field": "text",
    }
    assert made.retry_after_s == 3
    assert str(made) == f"{name}: what happened"
    assert 400 <= made.code.status <= 599
    assert made.code.title


def test_a_document_without_a_faulty_field_names_none() -> None:
    assert "field" not in TryAgain("internal", "broken").document("trace-1")


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Refused, "internal"), (TryAgain, "outcome_unknown"), (OutcomeUnknown, "not_written")],
)
def test_a_code_cannot_be_raised_as_another_class(kind: type[Problem], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is not a code of"):
        kind(name, "no")


def test_an_unknown_code_from_another_version_is_internal_and_keeps_what_was_said() -> None:
    made = problem("code_of_tomorrow", "so it was")
    assert made.code.name == "internal"
    assert made.detail == "unknown code code_of_tomorrow: so it was"
