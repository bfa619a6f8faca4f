"""What an import shows while it runs, and what it tells at its end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli import show

COLUMNS = (
    "taken",
    "not_taken",
    "entries",
    "entries_of_earlier_runs",
    "split_into_parts",
    "replies_kept",
)


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error, if that is a terminal; call what is given for each step."""
    console = show.console(error=True)
    if not console.is_terminal:
        yield lambda: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(show.plain(title), total=total)
        yield lambda: shown.advance(task)


def told(document: Mapping[str, Any]) -> None:
    """The report for people."""
    show.facts({name: document[name] for name in ("channel", "messages", *COLUMNS)})
    _table(
        [{"taken": kind, "messages": count} for kind, count in document["taken_by_kind"].items()]
    )
    _table(
        [
            {"not taken": reason, "messages": told["count"], "first ids": told["first_ids"]}
            for reason, told in document["not_taken_by_reason"].items()
        ]
    )
    _table(
        [{"left away": what, "messages": count} for what, count in document["left_away"].items()]
    )


def _table(rows: list[dict[str, Any]]) -> None:
    if rows:
        show.say("")
        show.rows(rows)
