"""The rules of listening for one channel, without I/O: which entries count, what is missing, where
one is. Whatever hears something of a channel asks its ledger, so no entry counts twice."""

from collections.abc import Sequence
from typing import NamedTuple

from rostrum.cursor import Cursor
from rostrum.events import Event, Jumped, Received, WasReset
from rostrum.model import Entry


class Step(NamedTuple):
    """What came of something that was heard: events, how many entries were known already, and
    whether entries are missing (`is_torn`), which are to be fetched."""

    events: tuple[Event, ...] = ()
    skipped: int = 0
    is_torn: bool = False


NOTHING = Step()
TORN = Step(is_torn=True)


class Ledger:
    """One channel. `place` is the cursor behind what was taken; None until it is known, for who
    begins wherever the channel is now."""

    def __init__(self, channel: str, place: Cursor | None) -> None:
        self.channel = channel
        self.place = place

    def watched(self, cursor: Cursor) -> Step:
        """It is followed from `cursor`: nothing may lie between that and our place."""
        if self.place is None:
            self.place = cursor
        return NOTHING if self._has(cursor) else TORN

    def take(self, entries: Sequence[Entry], after: Cursor, head: int) -> Step:
        """Entries that lead up to the cursor `after`. Those that are known are skipped, those
        behind a hole are dropped."""
        if self.place is None:
            # Sent for an earlier watch: from where we begin nobody has told yet.
            return Step(skipped=len(entries))
        if after.epoch != self.place.epoch:
            return TORN
        events, skipped = [], 0
        for entry in entries:
            if entry.id == self.place.id + 1:
                events.append(self._received(entry, head))
            elif entry.id <= self.place.id:
                skipped += 1
        is_missing = len(events) + skipped < len(entries) or not self._has(after)
        return Step(tuple(events), skipped, is_missing)

    def jump(self, cursor: Cursor, *, unread: int, head: int, first: int) -> Step:
        """What comes next is behind `cursor`, and what is in between is left out."""
        if self.place is not None and cursor.epoch != self.place.epoch:
            return TORN
        if self.place is not None and self._has(cursor):
            return NOTHING
        self.place = cursor
        return Step((Jumped(self.channel, str(cursor), unread, head, first),))

    def reset(self, cursor: Cursor, *, head: int, first: int) -> Step:
        """Ids begin anew, in the epoch of `cursor`."""
        if self.place is not None and cursor.epoch == self.place.epoch:
            return NOTHING if self._has(cursor) else TORN
        return self.begin_anew(cursor, head=head, first=first)

    def begin_anew(self, cursor: Cursor, *, head: int, first: int) -> Step:
        """What we had was not of this log: go on from `cursor`, whatever it is."""
        self.place = cursor
        return Step((WasReset(self.channel, str(cursor), cursor.epoch, head, first),))

    def _has(self, cursor: Cursor) -> bool:
        place = self.place
        return place is not None and cursor.epoch == place.epoch and cursor.id <= place.id

    def _received(self, entry: Entry, head: int) -> Received:
        assert self.place is not None
        self.place = Cursor(self.place.epoch, entry.id)
        return Received(self.channel, entry, str(self.place), max(head, entry.id))
