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

EXAMPLE = """
\b
Examples:
  rostrum chat
  rostrum chat news lounge --url https://chat.example
  rostrum chat --sessions /tmp/bob.json --state /tmp/bob
"""


@click.command(epilog=EXAMPLE)
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
    from cli.asking import told  # noqa: PLC0415 - client and screens take a moment to import
    from cli.chat.run import run  # noqa: PLC0415 - as the other

    try:
        with told():
            code = run(where, state or state_of(where.url), channels)
    except (OSError, ValueError) as fault:
        raise Trouble(str(fault)) from fault
    raise SystemExit(code)


def state_of(url: str) -> Path:
    """The folder of what belongs to a deployment."""
    parts = urlsplit(url)
    name = re.sub(r"[^a-z0-9.]+", "_", f"{parts.hostname}_{parts.port or parts.scheme}")
    return STATE.expanduser() / name
