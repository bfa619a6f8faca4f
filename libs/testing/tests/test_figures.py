"""What tests measured is told at the end."""

from types import SimpleNamespace
from typing import Any

import pytest

from libs.testing.figures import FIGURES, pytest_terminal_summary


class Terminal:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write_line(self, line: str) -> None:
        self.lines.append(line)


def test_every_figure_is_a_line_at_the_end() -> None:
    terminal, config = Terminal(), SimpleNamespace(stash=pytest.Stash())
    ends: Any = pytest_terminal_summary
    ends(terminal, config)
    assert terminal.lines == []
    config.stash[FIGURES] = ["20 bytes", "7 ms"]
    ends(terminal, config)
    assert terminal.lines == ["figure: 20 bytes", "figure: 7 ms"]


def test_who_takes_figures_adds_to_those_of_the_run(
    figures: list[str], pytestconfig: pytest.Config
) -> None:
    assert pytestconfig.stash[FIGURES] is figures
