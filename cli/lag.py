"""`rostrum lag`: how far views and followers are behind the log."""

import asyncio
from collections.abc import Callable, Mapping

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from cli import lag_rows, show
from cli.address import LOG, SERVICES, STORE, URL, Where, address
from cli.lagging import Look, looked
from cli.looking import looking_at, run, until_interrupted
from cli.show import Trouble, json_option
from libs.log.port import Inspection

EXAMPLE = """
\b
Examples:
  rostrum lag
  rostrum lag --watch 2
  rostrum lag --partitions --json
  rostrum lag --max 1000 || echo "a view is behind"
"""


@click.command(epilog=EXAMPLE)
@address(URL, LOG, STORE, SERVICES)
@click.option("--partitions", is_flag=True, help="A row for each partition.")
@click.option("--max", "most", type=click.IntRange(min=0), help="Exit code 1 beyond so many.")
@click.option(
    "--watch",
    "every_s",
    type=click.FloatRange(min=0.2, max=3600),
    metavar="SECONDS",
    help="Look again after so many seconds, until Ctrl-C, and show what grew.",
)
@json_option
def lag(
    where: Where,
    *,
    partitions: bool,
    most: int | None,
    every_s: float | None,
    as_json: bool,
) -> None:
    """Show how far views and followers are behind the log.

    Views keep their positions in Redis; `told` is how far changes of access were announced. `tail`
    is what an instance follows in memory, as its metrics say. Of an embedded deployment nobody can
    see the Redis: there the positions that views commit to the log are shown, which come a moment
    after. Exit code 1 when something does not answer, or more than --max records are behind.
    """
    if every_s is not None:
        watching = _Watching(where, every_s, each=partitions, as_json=as_json)
        until_interrupted(watching.run)
        return
    found = run(_once(where))
    rows = lag_rows.rows(found, {}, each=partitions)
    if as_json:
        show.document(lag_rows.told(found, rows))
    else:
        show.rows(rows, columns=lag_rows.columns(each=partitions, watched=False))
        for line in (*found.unseen, *found.away):
            show.note(f"not seen: {line}")
    _judge(found, most)


def _judge(found: Look, most: int | None) -> None:
    if found.away:
        raise Trouble(f"{len(found.away)} of what keeps positions does not answer: rostrum check")
    if most is None:
        return
    behind = [each for each in found.lags if each.behind > most]
    if behind:
        worst = max(behind, key=lambda each: each.behind)
        raise Trouble(
            f"{len(behind)} positions are more than {most:,} records behind, {worst.at.service} in "
            f"{worst.at.partition.topic}/{worst.at.partition.index} by {worst.behind:,}"
        )


async def _once(where: Where) -> Look:
    async with looking_at(where) as log:
        return await looked(where, log)


class _Watching:
    """Looks again and again. Each look is a table in place of the last one; where there is no
    terminal, or for programs, they follow each other."""

    def __init__(self, where: Where, every_s: float, *, each: bool, as_json: bool) -> None:
        self._where = where
        self._every_s = every_s
        self._each = each
        self._as_json = as_json
        self._before: Mapping[lag_rows.Reader, int] = {}
        self._console = show.console()

    async def run(self) -> None:
        """For ever."""
        async with looking_at(self._where) as log:
            if self._as_json or not self._console.is_terminal:
                await self._look(log, self._print)
                return
            with Live(console=self._console, auto_refresh=False) as live:
                await self._look(log, lambda found: live.update(self._shown(found), refresh=True))

    async def _look(self, log: Inspection, put: Callable[[Look], None]) -> None:
        while True:
            found = await looked(self._where, log)
            put(found)
            self._before = lag_rows.behind(found, each=self._each)
            await asyncio.sleep(self._every_s)

    def _print(self, found: Look) -> None:
        if self._as_json:
            show.line(lag_rows.told(found, self._rows(found)))
        else:
            self._console.print(self._shown(found))

    def _rows(self, found: Look) -> list[lag_rows.Row]:
        return lag_rows.rows(found, self._before, each=self._each)

    def _shown(self, found: Look) -> Group:
        columns = lag_rows.columns(each=self._each, watched=True)
        notes = [Text(f"not seen: {line}") for line in (*found.unseen, *found.away)]
        return Group(show.table(self._rows(found), columns=columns), *notes)
