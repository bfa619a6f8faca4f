"""The command `rostrum export`."""

import sys
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import click

from cli.address import GATEWAY, Where, address
from cli.asking import asked, client_of
from cli.bar import bar
from cli.exporting.lines import OtherFile, appended, is_cursor, kind_of, last_cursor, line_of
from cli.show import Trouble
from rostrum import Client, Cursor


@click.command()
@address(GATEWAY)
@click.argument("channel", metavar="CHANNEL")
@click.option("--after", metavar="CURSOR", help="Only what comes after it; it may be an id, too.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to append to, from its last line on; without it standard output.",
)
def export(*, where: Where, channel: str, after: str | None, output: Path | None) -> None:
    """Write the entries of a channel, given by its id, as lines of JSON.

    An export to a file that was stopped goes on when the same command is run again.
    """
    if after is not None and not is_cursor(after) and not (after.isascii() and after.isdecimal()):
        raise click.UsageError(f"{after!r} is no place: give a cursor such as 1-1842, or an id")
    client = client_of(where)
    try:
        if output is None:
            written = asked(_exported(client, channel, after, sys.stdout.buffer))
        else:
            written = _to_file(client, channel, after, output)
    except OtherFile as fault:
        raise Trouble(str(fault)) from fault
    except BrokenPipeError:
        # Whoever reads has enough.
        raise
    except OSError as fault:
        raise Trouble(f"{output or 'standard output'} cannot be written: {fault}") from fault
    except KeyboardInterrupt as fault:
        raise Trouble("interrupted; with --output the same command goes on from there") from fault
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(written.items()))
    click.echo(f"{written.total():,} entries{kinds and f' ({kinds})'}", err=True)


def _to_file(client: Client, channel: str, after: str | None, output: Path) -> Counter[str]:
    with appended(output) as file:
        last = last_cursor(file, output, channel)
        if last is not None and after is not None:
            raise OtherFile(
                f"{output} has lines and goes on after its last one; leave --after away"
            )
        return asked(_exported(client, channel, last or after, file))


async def _exported(
    client: Client, channel: str, after: str | None, file: BinaryIO
) -> Counter[str]:
    """How many entries were written, by type."""
    written: Counter[str] = Counter()
    async with client:
        found = await client.channel(channel)
        now = Cursor.of(found.cursor)
        place = _place(after or "0", now.epoch)
        with bar(found.title, max(now.id - place.id, 0)) as step:
            async for entry in client.history(channel, after=str(place)):
                file.write(line_of(channel, place.epoch, entry))
                written[kind_of(entry)] += 1
                step()
    file.flush()
    return written


def _place(text: str, epoch: int) -> Cursor:
    """A cursor as it was given, or the one of an id of the present epoch."""
    return Cursor.of(text) if is_cursor(text) else Cursor(epoch, int(text))
