"""`rostrum tail`: the entries of a channel, from the log or as its members get them."""

import click

from cli.address import GATEWAY, LOG, Where, address
from cli.lines import FIRST, Shown, Span, for_people, for_programs, start_of
from cli.looking import until_interrupted
from cli.show import json_option

EXAMPLE = """
\b
Examples:
  rostrum tail 01KA3Q5V8Z0J6T4M2N7R9X1C3E
  rostrum tail @news --from first --no-follow --json
  rostrum tail @news --gateway --count 1
"""


@click.command(epilog=EXAMPLE)
@address(LOG, GATEWAY)
@click.argument("channel")
@click.option("--from", "start", metavar="ID", help=f"Begin at this id, or at '{FIRST}'.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many entries.")
@click.option("--follow/--no-follow", default=True, help="Wait for what comes, until Ctrl-C.")
@click.option("--gateway", "by_gateway", is_flag=True, help="Ask a gateway, as a member does.")
@json_option
def tail(
    where: Where,
    channel: str,
    *,
    start: str | None,
    count: int | None,
    follow: bool,
    by_gateway: bool,
    as_json: bool,
) -> None:
    """Print the entries of the CHANNEL with this id or handle, and follow it.

    Without --from it begins with the newest ten. They are read straight from the log, which changes
    nothing and asks no service, so it works while all of them are down; with --gateway they come
    over a gateway, to whoever is signed in (--token, --sessions): what members really get.
    """
    span = Span(start_of(start), count, follow)
    shown = Shown(span, for_programs if as_json else for_people)
    if by_gateway:
        from cli.tail_gateway import from_gateway  # noqa: PLC0415 - the client is slow to import

        until_interrupted(lambda: from_gateway(where, channel, span, shown))
    else:
        from cli.tail_log import from_log  # noqa: PLC0415 - as the other

        until_interrupted(lambda: from_log(where, channel, span, shown))
