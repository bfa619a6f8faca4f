"""A history from which nothing follows must not be judged clean."""

from collections.abc import Iterator

from checker.channel import Channel
from checker.history import Deliver, Resume
from checker.limits import Limits
from checker.verdict import Finding, finding


def no_final(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """Posts were acknowledged, and nobody read the channel to its end."""
    if channel.acks and not channel.finals:
        what = f"{channel.name} was read to its end by nobody, so nothing is known of its tail"
        yield finding("no-final", what, channel.acks[-1:])


def unmatched(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """An outcome without its attempt, or a delivery without the cursor of its session."""
    for outcome in channel.unmatched:
        yield finding("unmatched", f"{channel.name}: an outcome without its attempt", [outcome])
    for reader, steps in channel.live:
        if isinstance(steps[0], Deliver):
            what = f"{channel.name}: {reader} was given entries, and its cursor was not noted"
            yield finding("unmatched", what, steps[:1])
        elif not isinstance(steps[0], Resume):
            what = f"{channel.name}: {reader} was told something before it asked"
            yield finding("unmatched", what, steps[:1])
