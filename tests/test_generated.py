"""The pages under docs/generated say what the code says."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.__main__ import rostrum
from docs.generate import FOLDER, PAGES, write
from libs.wire.codes import CODES
from libs.wire.topics import TOPICS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as a new process makes them: in this one, tests have declared metrics."""
    folder = tmp_path_factory.mktemp("generated")
    subprocess.run([sys.executable, "-m", "docs.generate", str(folder)], check=True)
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str, made: Path) -> None:
    current = (made / name).read_text("utf-8")
    assert (FOLDER / name).read_text("utf-8") == current, "run make docs"


def test_no_page_is_left_that_nothing_makes() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)


def test_every_topic_and_code_has_its_row() -> None:
    topics, codes = PAGES["topics.md"](), PAGES["codes.md"]()
    assert all(f"| `{topic.name}` |" in topics for topic in TOPICS)
    assert all(f"| `{name}` |" in codes for name in CODES)


def test_every_command_that_is_there_has_its_section() -> None:
    page = PAGES["commands.md"]()
    there = rostrum.list_commands(click.Context(rostrum))
    assert there
    assert all(f"## rostrum {name}\n" in page for name in there)
    assert all("Examples:" in part for part in page.split("## rostrum ")[1:])


def test_writing_removes_a_page_that_nothing_makes_any_more(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("old", "utf-8")
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(PAGES)
