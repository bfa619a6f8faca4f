"""`rostrum token`: access tokens of users that do not exist, for load tests."""

import click

from cli import show
from cli.address import DATA, Where, address
from cli.show import json_option
from cli.signing import Signatory, users, warn
from libs.wire.tokens import LIFE_S_MAX

# A file of so many is 400 MB; whoever needs more signs them as they go, as rostrum load does.
USERS_MAX = 1_000_000
EXAMPLE = """
\b
Examples:
  rostrum token --users 1000 --prefix load --ttl 600 > tokens.txt
  rostrum tail @news --gateway --token "$(rostrum token)"
"""


@click.command(epilog=EXAMPLE)
@address(DATA)
@click.option(
    "--users", "count", type=click.IntRange(1, USERS_MAX), default=1, help="How many tokens."
)
@click.option("--prefix", default="load", help="The same prefix is the same users.")
@click.option(
    "--ttl",
    "ttl_s",
    type=click.IntRange(1, LIFE_S_MAX),
    default=LIFE_S_MAX,
    metavar="SECONDS",
    help=f"How long they hold, {LIFE_S_MAX} s at most: gateways take no others.",
)
@json_option
def token(where: Where, *, count: int, prefix: str, ttl_s: int, as_json: bool) -> None:
    """Sign access tokens for a load test, one a line.

    They are signed with the key of the deployment (session-signing.pem among its secrets), so they
    count at all of its gateways, for users that have no account: they read public channels and post
    where everyone may. Whoever has that key can sign in as anybody.
    """
    signatory = Signatory(where)
    warn()
    for user in users(prefix, count):
        signed = signatory.sign(user, ttl_s)
        if as_json:
            show.line(signed._asdict())
        else:
            click.echo(signed.token)
