"""What commands print: tables for people, JSON for programs, and how they fail.

A command gathers plain values first (mappings of text, numbers, truth and None) and shows the same
ones either way. Text of members passes `plain`, so that no message moves a terminal's cursor.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from libs.wire.entries import rfc3339

Row = Mapping[str, Any]
Columns = Sequence[str] | Mapping[str, str]

# A table that goes into a file or a pipe is not cut: no line of ours is longer.
UNCUT_COLUMNS = 10_000
# Joins what is one sign on the screen; the other invisible characters can hide or turn text.
JOINER = "\N{ZERO WIDTH JOINER}"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class Trouble(click.ClickException):
    """Something is wrong or away: one line that says what and what to do. Exit code 1."""

    exit_code = 1


def plain(text: str) -> str:
    """The text with everything that a terminal would obey, hide or turn around made visible."""
    return "".join(
        each if each.isprintable() or each == JOINER else ascii(each)[1:-1] for each in text
    )


def time_of(at_ms: int) -> str:
    """UTC milliseconds since 1970 as people and programs read them."""
    return rfc3339(at_ms)


def document(value: Any) -> None:
    """One JSON document, which is all that the command prints on standard output."""
    click.echo(json.dumps(value, indent=2))


def line(value: Any) -> None:
    """One JSON value on a line of its own, for commands that go on."""
    click.echo(json.dumps(value))


def rows(listed: Sequence[Row], *, columns: Columns = (), empty: str = "") -> None:
    """A table, a column for each key of the first row, or for `columns`: keys in their order, or
    with their heads where those are to be shorter. Without rows `empty` is said instead."""
    if listed:
        console().print(table(listed, columns=columns))
    elif empty:
        say(empty)


def table(listed: Sequence[Row], *, columns: Columns = ()) -> Table:
    """The table that `rows` prints. What a terminal has no room for goes on in the next line."""
    names = list(columns or (listed[0] if listed else ()))
    heads = columns if isinstance(columns, Mapping) else {}
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0)
    for name in names:
        numbers = bool(listed) and all(_is_number(row.get(name)) for row in listed)
        head = heads.get(name, name.replace("_", " "))
        made.add_column(head, justify="right" if numbers else "left", overflow="fold")
    for row in listed:
        made.add_row(*(Text(_cell(row.get(name))) for name in names))
    return made


def facts(known: Row) -> None:
    """Names and values, one pair a line."""
    width = max(map(len, known), default=0)
    for name, value in known.items():
        say(f"{name.replace('_', ' '):<{width}}  {_cell(value)}")


def say(text: str, *, style: str = "") -> None:
    """A line for people, on standard output; it is printed as it is."""
    console().print(Text(text, style=style))


def warn(text: str) -> None:
    """A line for people on standard error, in a colour that is seen."""
    console(error=True).print(Text(text, style="bold red"))


def note(text: str) -> None:
    """A line for people on standard error, beside what goes on."""
    console(error=True).print(Text(text))


def console(*, error: bool = False) -> Console:
    """Where to print. What is no terminal gets no colours, and no line of it is cut."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else UNCUT_COLUMNS
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def sentence(values: Iterable[object]) -> str:
    """Values in a sentence."""
    return ", ".join(map(str, values)) or "none"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return plain(sentence(f"{_cell(count)} {name}" for name, count in value.items()))
    if isinstance(value, list | tuple):
        return plain(sentence(value))
    return f"{value:,}" if isinstance(value, int) else plain(str(value))


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
