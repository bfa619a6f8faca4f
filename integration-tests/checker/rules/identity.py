"""L5: one post is one message, with one id."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from checker.channel import SHOWN, Channel, Key
from checker.history import Deliver, Ok
from checker.limits import Limits
from checker.verdict import Finding, finding


def repeated(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """One (author, client_id) is shown as two messages."""
    shown: dict[Key, Deliver] = {}
    for number, entry in channel.entries.items():
        if entry.type != SHOWN:
            continue
        key = entry.author, entry.client_id
        first = shown.setdefault(key, entry)
        if first is not entry and _is_promised(number - first.id, limits):
            what = f"{channel.name}/{number} shows {key[1]} of {key[0]} again, as {first.id} did"
            yield finding("repeated", what, [first, entry])
        shown[key] = entry


def two_ids(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """The acknowledgements of one post name two ids."""
    acks: dict[Key, dict[int, Ok]] = defaultdict(dict)
    for ack in channel.acks:
        acks[ack.author, ack.client_id].setdefault(ack.id, ack)
    for (author, client_id), by_id in acks.items():
        for one, other in pairwise(sorted(by_id)):
            if _is_promised(other - one, limits):
                what = f"{channel.name}: {client_id} of {author} has the ids {one} and {other}"
                yield finding("two-ids", what, [by_id[one], by_id[other]])


def _is_promised(distance: int, limits: Limits) -> bool:
    return limits.hints or distance <= limits.window
