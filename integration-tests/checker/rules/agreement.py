"""L2: all readers have the same."""

from collections.abc import Iterator

from checker.channel import Channel
from checker.history import Deliver
from checker.limits import Limits
from checker.verdict import Finding, finding


def inconsistent(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """Two readers were given different content under one id; whether it is void is content."""
    entries = channel.entries
    told: set[tuple[str, int]] = set()
    for deliver in channel.delivers:
        first = entries[deliver.id]
        if first is deliver or _content(first) == _content(deliver):
            continue
        if (deliver.reader, deliver.id) not in told:
            told.add((deliver.reader, deliver.id))
            what = (
                f"{channel.name}/{deliver.id} is one thing to {first.reader} "
                f"and another to {deliver.reader}"
            )
            yield finding("inconsistent", what, [first, deliver])


def vanished(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """A reader, live or final, was given an entry that a final reader has not got."""
    for read in channel.final_reads:
        for number, entry in channel.entries.items():
            if number >= read.floor and number not in read.by_id:
                what = (
                    f"{channel.name}/{number} was given to {entry.reader}, "
                    f"and {read.final.reader} has not got it"
                )
                yield finding("vanished", what, [entry, read.final])


def _content(entry: Deliver) -> tuple[object, ...]:
    return entry.epoch, entry.type, entry.author, entry.client_id, entry.text, entry.dup_of
