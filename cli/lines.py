"""Entries as lines, and which of a channel are wanted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from cli import show
from libs.wire.cursor import ID_MAX
from libs.wire.entries import MESSAGE, VOID

# What is shown of the past when nobody says from where.
NEWEST = 10
FIRST = "first"
# One more than the longest id has.
DIGITS_MAX = 20

# An entry with its fields named as in docs/protocol.md.
Line = Mapping[str, Any]
Printer = Callable[[Line], None]


@dataclass(frozen=True)
class Span:
    """What is wanted: from an id on (0: the first that is kept; None: the newest `NEWEST`), at most
    `count` entries, and whether what comes is waited for."""

    start: int | None = None
    count: int | None = None
    follow: bool = True

    def begin(self, first: int, head: int) -> int:
        """The first id that is shown. Says so when earlier ones were asked for and are gone."""
        if self.start is None:
            return max(first, head - NEWEST + 1)
        if 0 < self.start < first:
            show.note(f"what is below id {first} is not kept any more")
        return max(first, self.start)


class Shown:
    """Prints what is wanted, and knows when that was all."""

    def __init__(self, span: Span, printer: Printer) -> None:
        self._left = span.count
        self._print = printer

    @property
    def is_all(self) -> bool:
        """Whether as many as were wanted are printed."""
        return self._left == 0

    def show(self, line: Line) -> None:
        """Print one."""
        self._print(line)
        if self._left is not None:
            self._left -= 1


def start_of(text: str | None) -> int | None:
    """The id in `--from`. Raises `click.BadParameter`."""
    if text is None or text == FIRST:
        return None if text is None else 0
    if not (text.isascii() and text.isdigit() and 0 < int(text[:DIGITS_MAX]) <= ID_MAX):
        raise click.BadParameter(f"{text!r} is no id: write a number from 1, or {FIRST!r}")
    return int(text)


def for_programs(line: Line) -> None:
    """For programs."""
    show.line(line)


def for_people(line: Line) -> None:
    """One line, whatever the text has in it."""
    show.say(f"{line['id']:>8}  {line.get('at', ''):<24}  {_said(line)}")


def _said(line: Line) -> str:
    if line["type"] == VOID:
        repeats = f", repeats {line['dup_of']}" if line.get("dup_of") else ""
        return f"(void{repeats})"
    if line["type"] != MESSAGE or "text" not in line:
        return f"{line.get('from', '')}  ({show.plain(line['type'])}, of a newer release)"
    answers = f"(to {line['reply_to']}) " if line.get("reply_to") else ""
    return f"{line['from']}  {answers}{show.plain(line['text'])}"
