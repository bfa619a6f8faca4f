"""`rostrum load`: followers and posts against one's own deployment, and a verdict."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cli import show
from cli.address import DATA, URL, Where, address
from cli.loading import stage
from cli.loading.options import amounts, wanted_of
from cli.loading.run import Run
from cli.loading.screen import Screen, report, told
from cli.loading.share import Wanted, plans
from cli.loading.summary import Summary
from cli.looking import run
from cli.show import Trouble, json_option

SETTLE_S_MAX = 600.0
RUN_BYTES = 4
EXAMPLE = """
\b
Examples:
  rostrum load
  rostrum load --websocket 900 --events 0 --poll 90 --rate 50 --for 120 --processes 2
  rostrum token --users 100 > tokens.txt     # where the key is
  rostrum load --url https://talk.example --tokens tokens.txt --yes
"""


@dataclass(frozen=True)
class _Basis:
    """Who the people are, and how long is waited at the end."""

    prefix: str
    tokens: Path | None
    settle_s: float


@click.command(epilog=EXAMPLE)
@address(URL, DATA)
@amounts
@click.option(
    "--settle",
    "settle_s",
    type=click.FloatRange(0, SETTLE_S_MAX),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For what is on its way at the end.",
)
@click.option("--prefix", default="load", show_default=True, help="The same is the same people.")
@click.option(
    "--tokens",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of access tokens, instead of the deployment's key.",
)
@click.option("--yes", is_flag=True, help="Load a deployment that is not known to be your own.")
@json_option
def load(
    where: Where,
    *,
    settle_s: float,
    prefix: str,
    tokens: Path | None,
    yes: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Put load on your own deployment and judge what arrives.

    Followers come over --ramp seconds and stay; then posts are sent at --rate for --for seconds,
    whether the ones before are answered or not. Each follower counts what it gets by its ids: what
    does not come is lost, what comes twice is repeated. The people are no accounts: their tokens
    are signed with the deployment's key, which also shows that it is yours.

    The channels (Load PREFIX 0, ...) are used again by the next run: a channel takes its partition
    for ever. For more than a thousand followers raise ROSTRUM_GATEWAY_CONNECTIONS_ADDRESS_MAX. It
    ends by itself, with a report. Exit code 1 when something was lost or repeated, came out of
    order or was not the same for everybody, or when nothing went through.
    """
    wanted = wanted_of(where, **asked)
    if tokens is not None and not yes:
        raise click.UsageError(
            "tokens do not show that a deployment is your own: add --yes if you may load it"
        )
    with Screen(is_quiet=as_json) as screen:
        basis = _Basis(prefix, tokens, settle_s)
        summary, errors = run(_go(where, wanted, basis, screen))
    if as_json:
        show.document({"deployment": wanted.url, **told(summary, errors)})
    else:
        report(summary, errors)
    if summary.findings():
        raise Trouble(show.sentence(summary.findings()))


async def _go(
    where: Where, wanted: Wanted, basis: _Basis, screen: Screen
) -> tuple[Summary, dict[str, int]]:
    if basis.tokens is None:
        signatory = await stage.signatory_of(where)
        people = stage.signed_for(wanted, basis.prefix)
    else:
        signatory, people = None, stage.with_tokens(wanted, basis.tokens)
    places = await stage.made(wanted, basis.prefix, people, signatory)
    parts = plans(wanted, secrets.token_hex(RUN_BYTES), places, people)
    return await Run(wanted, places, basis.settle_s).go(parts, screen)
