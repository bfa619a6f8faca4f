"""Judges a history by the laws of the log: every finding is a sentence that names law and place.

Append returns its position and every text is unique, so no search is needed: each law is one pass.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from faults.seen import MESSAGE, Entry, Event, Post, Seen

# Of one law; more say nothing new.
FINDINGS_MAX = 10


def findings(seen: Seen) -> list[str]:
    """What breaks a law; empty when the history is clean."""
    laws = (_lost, _disagreements, _holes, _out_of_order, _twice, _phantoms, _gaps, _waiting)
    found: list[str] = []
    for law in laws:
        broken = list(law(seen))
        found += broken[:FINDINGS_MAX]
        if len(broken) > FINDINGS_MAX:
            found.append(f"{len(broken) - FINDINGS_MAX} more like the last")
    return found


def _lost(seen: Seen) -> Iterator[str]:
    for (reader, channel), entries in seen.finals.items():
        there = {entry.id: entry for entry in entries}
        for post in _posts_of(seen, channel):
            for ident in post.ids:
                entry = there.get(ident)
                if entry is None or (entry.type, entry.client_id) != (MESSAGE, post.key):
                    yield f"L1 {channel}/{ident}: acknowledged as {post.key}, {reader} has {entry}"


def _disagreements(seen: Seen) -> Iterator[str]:
    first: dict[tuple[str, int], tuple[str, Entry]] = {}
    for reader, channel, entry in seen.entries():
        other, known = first.setdefault((channel, entry.id), (reader, entry))
        if known != entry:
            yield f"L2 {channel}/{entry.id}: {other} was given {known}, {reader} {entry}"


def _holes(seen: Seen) -> Iterator[str]:
    if not seen.finals:
        yield "L3 nobody read to the end"
    lengths = defaultdict(set)
    for (reader, channel), entries in seen.finals.items():
        lengths[channel].add(len(entries))
        ids = [entry.id for entry in entries]
        if ids != list(range(1, len(ids) + 1)):
            at = next(at for at, ident in enumerate(ids, 1) if at != ident)
            yield f"L3 {channel}: {reader} has {ids[at - 1]} where {at} is due"
    for channel, found in lengths.items():
        if len(found) > 1:
            yield f"L2 {channel}: final readers have {sorted(found)} entries"


def _out_of_order(seen: Seen) -> Iterator[str]:
    for channel in {post.channel for post in seen.posts.values()}:
        latest = 0.0
        acknowledged = [post for post in _posts_of(seen, channel) if post.ids]
        for post in sorted(acknowledged, key=lambda post: min(post.ids)):
            assert post.acknowledged is not None
            if post.acknowledged < latest:
                place = f"{channel}/{min(post.ids)}"
                yield f"L4 {place}: acknowledged before a post with a smaller id began"
            latest = max(latest, post.invoked)


def _twice(seen: Seen) -> Iterator[str]:
    for post in seen.posts.values():
        if len(post.ids) > 1:
            yield f"L5 {post.key}: acknowledged with the ids {sorted(post.ids)}"
    for (reader, channel), entries in seen.finals.items():
        shown = Counter((each.author, each.client_id) for each in entries if each.type == MESSAGE)
        for (_, key), count in shown.items():
            if count > 1:
                yield f"L5 {channel}: {reader} has {count} messages of {key}"


def _phantoms(seen: Seen) -> Iterator[str]:
    for (reader, channel), entries in seen.finals.items():
        for entry in entries:
            post = seen.posts.get(entry.client_id or "")
            if entry.type == MESSAGE and (post is None or entry.text != f"post {post.key}"):
                yield f"L2 {channel}/{entry.id}: {reader} has {entry}, which nobody posted"


def _gaps(seen: Seen) -> Iterator[str]:
    for (reader, channel), events in seen.readers.items():
        due: int | None = None
        for event in events:
            if event["event"] in ("resume", "jump", "reset"):
                due = int(event["cursor"].split("-")[1]) + 1
            for ident in _ids(event):
                if ident != due:
                    yield f"L8 {channel}: {reader} was given {ident} where {due} is due"
                due = ident + 1


def _waiting(seen: Seen) -> Iterator[str]:
    """No law of the log, but what users live on: in the end every post has its answer."""
    for post in seen.posts.values():
        if not post.ids:
            yield f"{post.key}: never acknowledged; {post.attempts} attempts, {post.outcomes[-3:]}"


def _ids(event: Event) -> list[int]:
    return [entry.id for entry in event.get("entries", ())]


def _posts_of(seen: Seen, channel: str) -> list[Post]:
    return [post for post in seen.posts.values() if post.channel == channel]
