"""The command `rostrum export`."""

import sys
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import click

from cli.address import GATEWAY, Where, address
from cli.asking import asked, client_of, ident_of
from cli.bar import bar
from cli.entries import fields_of
from cli.exporting.lines import OtherFile, appended, is_cursor, last_cursor, line_of
from cli.show import Trouble
from rostrum import Channel, Client, Cursor

EXAMPLE = """
\b
Examples:
  rostrum export @news > news.jsonl
  rostrum export 01KA3Q5V8Z0J6T4M2N7R9X1C3E --output news.jsonl
"""


@click.command(epilog=EXAMPLE)
@address(GATEWAY)
@click.argument("channel", metavar="CHANNEL")
@click.option("--after", metavar="CURSOR", help="Only what comes after it; it may be an id, too.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to append to, from its last line on; without it standard output.",
)
def export(*, where: Where, channel: str, after: str | None, output: Path | None) -> None:
    """Write the entries of the CHANNEL with this id or handle as lines of JSON.

    An export to a file that was stopped goes on when the same command is run again.
    """
    if after is not None and not is_cursor(after) and not (after.isascii() and after.isdecimal()):
        raise click.UsageError(f"{after!r} is no place: give a cursor such as 1-1842, or an id")
    try:
        written = asked(_exported(client_of(where), channel, after, output))
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
    click.echo(f"entries: {written.total():,}{kinds and f' ({kinds})'}", err=True)


async def _exported(
    client: Client, name: str, after: str | None, output: Path | None
) -> Counter[str]:
    """How many entries were written, by type."""
    async with client:
        channel = await client.channel(await ident_of(client, name))
        if output is None:
            return await _written(client, channel, after, sys.stdout.buffer)
        with appended(output) as file:
            last = last_cursor(file, output, channel.id)
            if last is not None and after is not None:
                what = f"{output} has lines and goes on after its last one"
                raise OtherFile(f"{what}; leave --after away, or name another file")
            return await _written(client, channel, last or after, file)


async def _written(
    client: Client, channel: Channel, after: str | None, file: BinaryIO
) -> Counter[str]:
    written: Counter[str] = Counter()
    now = Cursor.of(channel.cursor)
    place = _place(after or "0", now.epoch)
    with bar(channel.title, max(now.id - place.id, 0)) as step:
        async for entry in client.history(channel.id, after=str(place)):
            file.write(line_of(channel.id, place.epoch, entry))
            written[fields_of(entry)["type"]] += 1
            step()
    file.flush()
    return written


def _place(text: str, epoch: int) -> Cursor:
    """A cursor as it was given, or the one of an id of the present epoch."""
    return Cursor.of(text) if is_cursor(text) else Cursor(epoch, int(text))
