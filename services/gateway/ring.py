"""Edge memory: the newest entries of one channel, encoded once."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from .answers import Kept

ENTRIES_MAX = 256
BYTES_MAX = 256 << 10
# While somebody waits, the next wake must be served from here, whatever the budget says.
ENTRIES_KEPT = 16


class Ring:
    """Entries `first` .. `head`, encoded both ways; at most `ENTRIES_MAX` of `BYTES_MAX` bytes."""

    __slots__ = ("_entries", "bytes", "head")

    def __init__(self, head: int) -> None:
        self.head = head
        self.bytes = 0
        self._entries: deque[Kept] = deque()

    @property
    def first(self) -> int:
        """The lowest id in memory; head + 1 when there is none."""
        return self.head - len(self._entries) + 1

    def append(self, kept: Kept) -> None:
        """Add the entry with id head + 1."""
        self._entries.append(kept)
        self.head += 1
        self.bytes += kept.size
        while len(self._entries) > ENTRIES_MAX or self.bytes > BYTES_MAX:
            self._drop_first()

    def after(self, ident: int, limit: int) -> Sequence[Kept]:
        """At most `limit` entries after `ident`, which must not be below first - 1."""
        start = ident + 1 - self.first
        if start < 0:
            raise ValueError(f"{ident} is behind the ring, which begins at {self.first}")
        return list(islice(self._entries, start, start + limit))

    def shrink(self, keep: int) -> None:
        """Keep only the newest `keep` entries."""
        while len(self._entries) > keep:
            self._drop_first()

    def _drop_first(self) -> None:
        self.bytes -= self._entries.popleft().size
