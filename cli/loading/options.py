"""How much load: the options of `rostrum load`, their bounds, and what they add up to."""

from collections.abc import Callable
from typing import Any

import click

from cli.address import Where
from cli.loading.share import Wanted
from rostrum.follower import WAYS

# Beyond these a machine of its own, and a script, are due.
FOLLOWERS_MAX = 20_000
CHANNELS_MAX = 1_000
FOLLOWS_MAX = 50
POSTS_PER_S_MAX = 5_000.0
SECONDS_MAX = 4 * 3600.0
RAMP_S_MAX = 3_600.0
PROCESSES_MAX = 64
# Each worker keeps all posts of a run, to be judged: some 100 bytes each.
POSTS_MAX = 1_000_000
# What a message may have.
CHARACTERS_MAX = 4_096

Command = Callable[..., Any]


def amounts(command: Command) -> Command:
    """Gives a command the options of `wanted_of`."""
    for option in reversed((*map(_followers, WAYS), *_OPTIONS)):
        command = option(command)
    return command


def wanted_of(where: Where, **asked: Any) -> Wanted:
    """What is asked for. Raises `click.UsageError` for what is nothing, or too much in all."""
    ways = {way: asked.pop(way) for way in WAYS}
    wanted = Wanted(
        url=where.url,
        data=str(where.settings.data),
        ways={way: count for way, count in ways.items() if count},
        **asked,
    )
    if not 1 <= wanted.followers <= FOLLOWERS_MAX:
        raise click.UsageError(f"{wanted.followers:,} followers: 1 to {FOLLOWERS_MAX:,} may be")
    if wanted.follows > wanted.channels:
        raise click.UsageError("nobody can follow more channels than there are: add --channels")
    if not 1 <= wanted.per_s * wanted.seconds <= POSTS_MAX:
        posts = wanted.per_s * wanted.seconds
        raise click.UsageError(
            f"--rate times --for is {posts:,.1f} posts: 1 to {POSTS_MAX:,} may be"
        )
    return wanted


def _followers(way: str) -> Callable[[Command], Command]:
    return click.option(
        f"--{way}",
        type=click.IntRange(0, FOLLOWERS_MAX),
        default=10,
        show_default=True,
        help=f"Followers by {way}.",
    )


def _seconds(flag: str, field: str, *, most: float, usual: float, says: str) -> Any:
    return click.option(
        flag,
        field,
        type=click.FloatRange(0, most),
        default=usual,
        show_default=True,
        metavar="SECONDS",
        help=says,
    )


def _count(flag: str, field: str, *, most: int, usual: int, says: str) -> Any:
    return click.option(
        flag,
        field,
        type=click.IntRange(1, most),
        default=usual,
        show_default=True,
        help=says,
    )


_OPTIONS = (
    _count("--channels", "channels", most=CHANNELS_MAX, usual=1, says="Channels of the run."),
    _count("--follows", "follows", most=FOLLOWS_MAX, usual=1, says="Channels of each follower."),
    click.option(
        "--rate",
        "per_s",
        type=click.FloatRange(0, POSTS_PER_S_MAX, min_open=True),
        default=5.0,
        show_default=True,
        help="Posts a second, in all channels.",
    ),
    _seconds("--for", "seconds", most=SECONDS_MAX, usual=30.0, says="How long to post."),
    _seconds("--ramp", "ramp_s", most=RAMP_S_MAX, usual=5.0, says="Over which followers come."),
    _count("--size", "characters", most=CHARACTERS_MAX, usual=100, says="Characters of a post."),
    _count("--processes", "processes", most=PROCESSES_MAX, usual=1, says="Share the work."),
)
