"""A bar for work of many steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from cli import show


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error, if that is a terminal; call what is given for each step."""
    console = show.console(error=True)
    if not console.is_terminal:
        yield lambda: None
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as shown:
        task = shown.add_task(show.plain(title), total=total)
        yield lambda: shown.advance(task)
