"""Judges a history by the laws of the log: every finding is a sentence that names law and place.

Append returns its position and every text is unique, so no search is needed: each law is one pass.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from checker.history import Deliver, Event, Final, Jump, Reset, Resume
from faults.seen import Seen, seen

# Of one law; more say nothing new.
FINDINGS_MAX = 10
MESSAGE = "message"

Readers = dict[tuple[str, str], dict[int, Deliver]]


def findings(events: Sequence[Event]) -> list[str]:
    """What breaks a law; empty when the history is clean."""
    history, finals = seen(events), _finals(events)
    broken = [
        *_few(_lost(history, finals)),
        *_few(_disagreements(history)),
        *_few(_holes(events, finals)),
        *_few(_out_of_order(history)),
        *_few(_twice(history, finals)),
        *_few(_phantoms(history, finals)),
        *_few(_gaps(events)),
    ]
    # No law of the log, but what users live on: in the end every post has its answer.
    waiting = (post for post in history.posts.values() if post.acknowledged is None)
    broken += _few(f"{each.key}: no answer in {each.attempts} attempts" for each in waiting)
    return broken


def _few(found: Iterator[str]) -> list[str]:
    told = list(found)
    rest = len(told) - FINDINGS_MAX
    return told[:FINDINGS_MAX] + ([f"{rest} more like the last"] if rest > 0 else [])


def _finals(events: Sequence[Event]) -> Readers:
    finals: Readers = defaultdict(dict)
    for event in events:
        if isinstance(event, Deliver) and event.via == "final":
            finals[event.reader, event.channel][event.id] = event
    return finals


def _lost(history: Seen, finals: Readers) -> Iterator[str]:
    by_channel: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for post in history.posts.values():
        by_channel[post.channel] += [(told.id, post.key) for told in post.acknowledgements]
    for (reader, channel), there in finals.items():
        for ident, key in by_channel[channel]:
            entry = there.get(ident)
            if entry is None or (entry.type, entry.client_id) != (MESSAGE, key):
                yield f"L1 {channel}/{ident}: acknowledged as {key}, {reader} has {entry}"


def _disagreements(history: Seen) -> Iterator[str]:
    first: dict[tuple[str, int], Deliver] = {}
    for (_, channel), given in history.deliveries.items():
        for entry in given:
            known = first.setdefault((channel, entry.id), entry)
            if _content(known) != _content(entry):
                yield f"L2 {channel}/{entry.id}: {known} differs from {entry}"


def _content(entry: Deliver) -> tuple[object, ...]:
    return entry.type, entry.author, entry.client_id, entry.text, entry.dup_of


def _holes(events: Sequence[Event], finals: Readers) -> Iterator[str]:
    heads: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if isinstance(event, Final):
            heads[event.channel].add(event.head)
            ids = list(finals.get((event.reader, event.channel), {}))
            if ids != list(range(1, event.head + 1)):
                yield f"L3 {event.channel}: {event.reader} has no dense ids up to {event.head}"
    if not heads:
        yield "L3 nobody read to the end"
    for channel, found in heads.items():
        if len(found) > 1:
            yield f"L2 {channel}: final readers end at {sorted(found)}"


def _out_of_order(history: Seen) -> Iterator[str]:
    told = sorted(
        (post.channel, each.id, post.acknowledged or 0.0, post.invoked)
        for post in history.posts.values()
        for each in post.acknowledgements
    )
    latest: dict[str, float] = defaultdict(float)
    for channel, ident, acknowledged, invoked in told:
        if acknowledged < latest[channel]:
            yield f"L4 {channel}/{ident}: acknowledged before a post of a smaller id began"
        latest[channel] = max(latest[channel], invoked)


def _twice(history: Seen, finals: Readers) -> Iterator[str]:
    for post in history.posts.values():
        ids = {told.id for told in post.acknowledgements}
        if len(ids) > 1:
            yield f"L5 {post.key}: acknowledged with the ids {sorted(ids)}"
    for (reader, channel), there in finals.items():
        shown = Counter(each.client_id for each in there.values() if each.type == MESSAGE)
        twice = [key for key, count in shown.items() if count > 1]
        yield from (f"L5 {channel}: {reader} has {key} more than once" for key in twice)


def _phantoms(history: Seen, finals: Readers) -> Iterator[str]:
    for (reader, channel), there in finals.items():
        for entry in there.values():
            is_known = entry.client_id in history.posts
            if entry.type == MESSAGE and not (is_known and entry.text == f"post {entry.client_id}"):
                yield f"L2 {channel}/{entry.id}: {reader} has {entry}, which nobody posted"


def _gaps(events: Sequence[Event]) -> Iterator[str]:
    due: dict[tuple[str, str, str], int] = {}
    for event in events:
        match event:
            case Resume():
                due[event.reader, event.session, event.channel] = event.after + 1
            case Jump() | Reset():
                due[event.reader, event.session, event.channel] = event.head + 1
            case Deliver():
                place = event.reader, event.session, event.channel
                if event.id != due[place]:
                    yield f"L8 {event.channel}: {place} has {event.id} where {due[place]} is due"
                due[place] = event.id + 1
            case _:
                pass
