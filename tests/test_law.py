"""The repository keeps its laws."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.law import (
    budgets,
    codes,
    doors,
    imports,
    leftovers,
    names,
    once,
    purity,
    readmes,
    tests_run,
)

ROOT = Path(__file__).parents[1]
LAWS = (budgets, codes, doors, imports, leftovers, names, once, purity, readmes, tests_run)


@pytest.mark.parametrize(
    "law", [law.violations for law in LAWS], ids=[law.__name__.split(".")[-1] for law in LAWS]
)
def test_the_repository_keeps_the_law(law: Callable[[Path], list[str]]) -> None:
    found = law(ROOT)
    assert not found, "\n".join(("", *found))


def test_every_law_in_the_folder_is_tried_here() -> None:
    """A law that nobody runs is none."""
    with_violations = {
        path.stem
        for path in (ROOT / "tests" / "law").glob("*.py")
        if "\ndef violations(" in path.read_text("utf-8")
    }
    assert with_violations == {law.__name__.split(".")[-1] for law in LAWS}
