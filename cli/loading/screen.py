"""A run on the screen: a table that moves, and the report that stays."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.text import Text

from cli import show
from cli.loading.summary import Summary

# Heads that leave room for figures on a narrow terminal.
REST = {
    "repeated": "twice",
    "out_of_order": "swapped",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "breaks": "breaks",
}
# Of a run that goes on; what was due, and is lost, is known at its end.
LIVE = {
    "way": "way",
    "followers": "people",
    "connected": "there",
    "delivered": "came",
    "missing": "missing",
    **REST,
}
REPORT = {
    "way": "way",
    "followers": "people",
    "expected": "due",
    "delivered": "came",
    "lost": "lost",
    "left_out": "jumped",
    **REST,
}


class Screen:
    """Enter it to show a run; without a terminal only its phases are noted."""

    def __init__(self, *, is_quiet: bool) -> None:
        console = show.console()
        self._is_live = console.is_terminal and not is_quiet
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._phase = ""

    def __enter__(self) -> "Screen":
        if self._is_live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def __call__(self, doing: str, summary: Summary) -> None:
        """What is done now, and what was counted."""
        if self._is_live:
            self._live.update(_moving(doing, summary), refresh=True)
        elif doing != self._phase:
            show.note(f"{doing} ...")
        self._phase = doing


def report(summary: Summary, errors: Mapping[str, int]) -> None:
    """What a run ends with, for people."""
    show.rows(summary.ways(), columns=REPORT)
    show.say("")
    show.say(f"posts: {_posts(summary)}")
    show.say(f"judged: {_judged(summary)}")
    show.say(f"own delay: {summary.late_ms:g} ms at worst, which is in these figures")
    for kind, count in sorted(errors.items()):
        show.say(f"error: {count:,} x {show.plain(kind)}")


def told(summary: Summary, errors: Mapping[str, int]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "ok": not summary.findings(),
        "findings": summary.findings(),
        "ways": summary.ways(),
        "posts": summary.posts(),
        "judgement": summary.judgement(),
        "own_delay_ms": summary.late_ms,
        "errors": dict(errors),
    }


def _moving(doing: str, summary: Summary) -> Group:
    return Group(
        Text(f"{doing} ... Ctrl-C ends it without a report", style="bold"),
        show.table(summary.ways(), columns=LIVE),
        Text(f"posts: {_posts(summary)}"),
    )


def _posts(summary: Summary) -> str:
    counts = {name: value for name, value in summary.posts().items() if value is not None}
    return ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in counts.items())


def _judged(summary: Summary) -> str:
    return ", ".join(
        f"{value:,} {name.replace('_', ' ')}" for name, value in summary.judgement().items()
    )
