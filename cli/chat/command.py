"""`rostrum chat`: the command."""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

from cli.address import GATEWAY, Where, address
from cli.show import Trouble

# Beside nothing of the program but what it may lose: sessions are where all commands keep them.
STATE = Path("~/.local/state/rostrum/chat")


@click.command()
@click.argument("channels", nargs=-1)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of what waits to be sent and up to where you have read; one for each program that"
    f" runs at the same time. [{STATE}/<host>]",
)
@address(GATEWAY)
def chat(channels: Sequence[str], state: Path | None, where: Where) -> None:
    """Read and write in a terminal.

    CHANNELS are handles or ids; without any, all that you are a member of. What you post is kept
    until it is answered, also over a crash, and the next start goes on where you have read.
    """
    from cli.chat.run import run  # noqa: PLC0415 - the screens take a moment to import

    folder = STATE / _named(where.url) if state is None else state
    try:
        code = run(where, folder.expanduser(), channels)
    except (OSError, ValueError) as fault:
        raise Trouble(str(fault)) from fault
    raise SystemExit(code)


def _named(url: str) -> str:
    parts = urlsplit(url)
    return re.sub(r"[^a-z0-9.]+", "_", f"{parts.hostname}_{parts.port or parts.scheme}")
