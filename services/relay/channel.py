"""One channel in memory: its newest entries, folded from the records by id.

Records come by signals, which may be lost, repeated or out of order, and by reads. Only the record
after the head is taken, so whatever comes in which order, the entries are those of the log.
"""

from collections import deque
from collections.abc import Sequence
from enum import Enum
from itertools import islice

from libs.wire.directory import Placement
from libs.wire.entries import Entry
from libs.wire.fold import WINDOW, ChannelFold

RING_ENTRIES = 256
# What is in memory beside the text: names, ids, time, the object itself.
ENTRY_BYTES = 400
# A watched channel keeps so many, whatever the budget says: the next wake is served from here.
ENTRIES_KEPT = 16


class News(Enum):
    """What a record is to a ring."""

    NEWS = "news"
    OLD = "old"
    GAP = "gap"


class Ring:
    """Entries `first` .. `head` of a channel, at most `RING_ENTRIES`.

    `start` is the id of the first record that will be pushed, `lowest` the lowest id that is kept
    anywhere. Entries that the fold cannot decide yet (the first `WINDOW`, unless they are the
    lowest) are not served.
    """

    def __init__(self, placement: Placement, *, start: int, lowest: int) -> None:
        self.placement = placement
        self.lowest = lowest
        self.bytes = 0
        self._fold = ChannelFold(placement.channel, start)
        self._serves_from = start if start <= lowest else start + WINDOW
        self._entries: deque[tuple[Entry, int]] = deque()

    @property
    def head(self) -> int:
        """The last id."""
        return self._fold.head

    @property
    def first(self) -> int:
        """The lowest id in memory; head + 1 when there is none."""
        return self.head - len(self._entries) + 1

    def offer(self, ident: int, raw: bytes | None, at_ms: int) -> News:
        """Take the record of entry `ident` if it is the next one; None: only that it exists."""
        if ident <= self.head:
            return News.OLD
        if ident > self.head + 1 or raw is None:
            return News.GAP
        entry = self._fold.push(raw, at_ms)
        if entry.id >= self._serves_from:
            self._entries.append((entry, len(raw) + ENTRY_BYTES))
            self.bytes += len(raw) + ENTRY_BYTES
        self.shrink(RING_ENTRIES)
        return News.NEWS

    def after(self, ident: int, limit: int) -> Sequence[Entry]:
        """At most `limit` entries after `ident`, as far as they are in memory: fewer than there
        are if `ident` is below first - 1."""
        start = max(ident + 1 - self.first, 0)
        return [entry for entry, _ in islice(self._entries, start, start + limit)]

    def newest(self, after: int, *, entries: int, bytes_max: int) -> Sequence[Entry]:
        """The newest entries after `after` that are within both bounds, rising up to the head."""
        found: deque[Entry] = deque()
        for entry, size in reversed(self._entries):
            bytes_max -= size
            if entry.id <= after or len(found) >= entries or bytes_max < 0:
                break
            found.appendleft(entry)
        return list(found)

    def shrink(self, keep: int) -> None:
        """Keep only the newest `keep` entries."""
        while len(self._entries) > keep:
            _, size = self._entries.popleft()
            self.bytes -= size


def start_of(placement: Placement, *, lowest: int, first: int) -> int:
    """From which id on to read, so that all from `first` on are decided as everybody does."""
    return max(lowest, first - WINDOW, placement.base_id)
