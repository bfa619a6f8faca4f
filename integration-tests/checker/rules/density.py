"""L3: ids rise by one."""

from collections.abc import Iterator

from checker.channel import Channel, FinalRead
from checker.history import Deliver
from checker.limits import Limits
from checker.verdict import Finding, finding


def gap(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """A final read does not rise by one from the first entry kept to the head. Where an epoch ends,
    the next one may begin at any greater id."""
    for read in channel.final_reads:
        yield from _holes(channel.name, read)
        last = read.entries[-1].id if read.entries else read.floor - 1
        if last < read.final.head:
            reader = read.final.reader
            what = f"{channel.name} ends at {read.final.head}, and {reader} read to {last}"
            yield finding("gap", what, [*read.entries[-1:], read.final])


def _holes(channel: str, read: FinalRead) -> Iterator[Finding]:
    before: Deliver | None = None
    due = read.floor
    for entry in read.entries:
        next_epoch = before is not None and entry.epoch > before.epoch and entry.id >= due
        if entry.id != due and not next_epoch:
            what = f"{channel}: {read.final.reader} has {entry.id} where {due} is due"
            yield finding("gap", what, [before, entry])
        before, due = entry, entry.id + 1
