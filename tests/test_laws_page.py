"""`docs/laws.md` and the marks of the tests say the same."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.law.tree import sources

ROOT = Path(__file__).parents[1]
RUN_S = 60
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ROW = re.compile(r"^\| (L\d+) \|.*\|(.*)\|$", re.MULTILINE)
TEST = re.compile(r"`(test_\w+)`")
PLANTED = """
import pytest

def test_another_comes_later():
    assert False

@pytest.mark.law("L3", "L1")
def test_it_fails():
    assert False
"""


def _page() -> set[tuple[str, str]]:
    text = (ROOT / "docs/laws.md").read_text("utf-8")
    return {(law, test) for law, held_by in ROW.findall(text) for test in TEST.findall(held_by)}


def _marks() -> Iterator[tuple[str, str]]:
    for source in sources(ROOT):
        if source.is_test:
            functions = (node for node in ast.walk(source.tree) if isinstance(node, FUNCTIONS))
            yield from ((law, node.name) for node in functions for law in _laws(node))


def _laws(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.law":
            yield from (str(ast.literal_eval(law)) for law in mark.args)


def test_the_page_names_the_tests_that_carry_a_law_and_no_others() -> None:
    page, marks = _page(), set(_marks())
    assert page - marks == set(), "named in docs/laws.md, but not marked"
    assert marks - page == set(), "marked, but not named in docs/laws.md"


def test_every_law_has_a_row_and_a_test() -> None:
    assert {law for law, _ in _page()} >= {f"L{number}" for number in range(1, 10)}


def test_a_failed_run_names_the_laws_it_broke_and_ran_their_tests_first(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.laws import *\n")
    (tmp_path / "test_planted.py").write_text(PLANTED)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = law: of the log\n")
    command = [sys.executable, "-m", "pytest", "-x", "-o", f"pythonpath={ROOT}", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_S, check=False, cwd=tmp_path
    )
    broken = [line for line in done.stdout.splitlines() if line.startswith("law broken")]
    test = "test_planted.py::test_it_fails"
    assert broken == [f"law broken: L3 by {test}", f"law broken: L1 by {test}"]
    assert "1 failed" in done.stdout
