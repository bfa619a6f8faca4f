"""The bar: on a terminal, and where there is none."""

import io
import sys

import pytest

from cli.bar import bar


class Terminal(io.StringIO):
    """Takes what is printed and says that it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_steps_are_shown_on_a_terminal_only(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with bar("[bold]Shed\x1b", 3) as step:
        for _ in range(3):
            step()
    shown = stream.getvalue()
    assert ("3/3" in shown, "[bold]Shed\\x1b" in shown) == (stream.isatty(), stream.isatty())
