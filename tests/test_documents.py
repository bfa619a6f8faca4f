"""What the documents name exists."""

import ast
import os
import re
from pathlib import Path

from tests.law.tree import sources, texts

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
VERBS = set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE))
PROMISES = {f"R{number}" for number in range(1, 25)}
LAWS = {f"L{number}" for number in range(1, 11)}


def documents() -> dict[str, str]:
    """Path and text of every Markdown file."""
    return {rel: text for rel, text in texts(ROOT) if rel.endswith(".md")}


def test_every_verb_of_make_that_a_document_names_exists() -> None:
    named = {verb for text in documents().values() for verb in re.findall(r"`make ([a-z]+)", text)}
    assert named <= VERBS


def test_every_verb_explains_itself() -> None:
    recipes = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert recipes - VERBS == {"environment"}


def test_every_promise_and_every_law_has_its_row() -> None:
    promises = re.findall(r"^\| (R\d+) \|", documents()["docs/promises.md"], re.MULTILINE)
    laws = re.findall(r"^\| (L\d+) \|", documents()["docs/laws.md"], re.MULTILINE)
    assert (set(promises), len(promises)) == (PROMISES, len(PROMISES))
    assert (set(laws), len(laws)) == (LAWS, len(LAWS))


def test_every_test_that_a_document_names_exists() -> None:
    functions = {
        node.name
        for source in sources(ROOT)
        if source.is_test
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    files = {source.parts[-1].removesuffix(".py") for source in sources(ROOT)}
    named = {name for text in documents().values() for name in re.findall(r"\b(test_\w+)\b", text)}
    assert named <= functions | files


def test_every_file_of_ours_that_a_document_links_exists() -> None:
    for rel, text in documents().items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / rel).parent.joinpath(target).exists(), f"{rel} links {target}"


def test_what_a_new_machine_runs_can_be_executed() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
