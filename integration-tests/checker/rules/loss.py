"""L1: what was acknowledged is there, under its id."""

from bisect import bisect_right
from collections.abc import Iterator

from checker.channel import SHOWN, Channel, FinalRead
from checker.history import Deliver, Ok, Resume
from checker.limits import Limits
from checker.verdict import Finding, finding

_Range = tuple[int, int]


def lost(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """Acknowledged, not above the highest id that any reader saw, and absent from a final read; or
    given to nobody although a session came past it, which needs no end of the run to be certain."""
    highest = max(channel.entries, default=0)
    passed = _passed(channel)
    starts = [start for start, _ in passed]
    for number, ack in channel.acked.items():
        if number > highest:
            break
        reads = list(_without(channel, number))
        for read in reads:
            yield _absent("lost", channel, ack, read)
        place = bisect_right(starts, number) - 1
        is_passed = place >= 0 and number < passed[place][1]
        if is_passed and not reads and number not in channel.entries:
            what = f"{channel.name}/{number} was acknowledged; readers passed it, nobody has it"
            yield finding("lost", what, [channel.begun.get((ack.author, ack.client_id)), ack])


def unseen(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """Acknowledged, above all that anybody saw, and absent from a final read: lost at the tail, or
    the final reader gave up too soon. Neither may be."""
    highest = max(channel.entries, default=0)
    for number, ack in channel.acked.items():
        if number > highest:
            for read in _without(channel, number):
                yield _absent("unseen", channel, ack, read)


def wrong_id(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """The acknowledged id is of another post, or of a void, which shows nothing."""
    for ack in channel.acks:
        entry = channel.entries.get(ack.id)
        if entry is None:
            continue
        if entry.type != SHOWN or (entry.author, entry.client_id) != (ack.author, ack.client_id):
            what = (
                f"{channel.name}/{ack.id} was acknowledged for {ack.client_id} of {ack.author}, "
                f"and is {_named(entry)}"
            )
            yield finding("wrong-id", what, [ack, entry])


def _without(channel: Channel, number: int) -> Iterator[FinalRead]:
    for read in channel.final_reads:
        if number >= read.floor and number not in read.by_id:
            yield read


def _absent(kind: str, channel: Channel, ack: Ok, read: FinalRead) -> Finding:
    what = (
        f"{channel.name}/{ack.id} was acknowledged for {ack.client_id} of {ack.author}, "
        f"and {read.final.reader} has not got it"
    )
    invoke = channel.begun.get((ack.author, ack.client_id))
    around = [read.by_id.get(ack.id - 1), read.by_id.get(ack.id + 1)]
    return finding(kind, what, [invoke, ack, *around, read.final])


def _named(entry: Deliver) -> str:
    if entry.type != SHOWN:
        return f"a {entry.type}"
    return f"{entry.client_id} of {entry.author}"


def _passed(channel: Channel) -> list[_Range]:
    """Ranges of ids, from the one after a cursor to the last given from there, joined."""
    ranges: list[_Range] = []
    for _, steps in channel.live:
        start = last = None
        for step in steps:
            if isinstance(step, Deliver):
                start = step.id if start is None else start
                last = step.id if last is None else max(last, step.id)
                continue
            if start is not None and last is not None:
                ranges.append((start, last + 1))
            start, last = (step.after + 1 if isinstance(step, Resume) else None), None
        if start is not None and last is not None:
            ranges.append((start, last + 1))
    return _joined(sorted(ranges))


def _joined(ranges: list[_Range]) -> list[_Range]:
    joined: list[_Range] = []
    for start, end in ranges:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined
