"""What a channel's log says about older entries than its window: read when a post asks for it."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from libs.log.port import READ_RECORDS_MAX, LogUnavailable, Stored
from libs.wire.directory import Placement
from libs.wire.entries import MESSAGE
from libs.wire.fold import WINDOW, ChannelFold

from .model import Key, Known, Numbered, earliest

# An append lands within 5 s of its hint or never, and a channel takes less than this meanwhile.
READ_BACK_MAX = 10_000
# Many answer one old message: it is looked up once. Of several, the newest are kept.
ANSWERED_MAX = 16

# The records from an offset on, at most so many.
Read = Callable[[int, int], Awaitable[Sequence[Stored]]]


class Past:
    """One channel's entries from offset `lowest` on. All raise `LogError`."""

    def __init__(self, placement: Placement, read: Read) -> None:
        self.lowest = placement.base_offset
        self._placement = placement
        self._read = read
        # Authors of messages that were answered: the verdict on an entry never changes.
        self._answered: OrderedDict[int, str | None] = OrderedDict()

    async def first(self, key: Key, known: Known) -> Known:
        """Follow a chain of duplicates back to its beginning."""
        while known.id > self._placement.id_of(self.lowest):
            offset = self._placement.offset_of(known.id)
            start = max(offset - WINDOW, self.lowest)
            earlier = self._earliest(await self._read(start, offset - start), key)
            if earlier is None:
                break
            known = earlier
        return known

    async def written_since(self, key: Key, ident: int, until: int) -> Known | None:
        """The message of this post, if it was appended not long after entry `ident` and before
        offset `until`."""
        start = max(self._placement.offset_of(ident + 1), self.lowest)
        until = min(start + READ_BACK_MAX, until)
        while start < until:
            batch = await self._read(start, min(until - start, READ_RECORDS_MAX))
            found = self._earliest(batch, key)
            if found is not None:
                return await self.first(key, found)
            start += READ_RECORDS_MAX
        return None

    async def message_at(self, key: Key, ident: int, until: int) -> Known | None:
        """The message of this post, if entry `ident` (before offset `until`) is one of its."""
        offset = self._placement.offset_of(ident)
        if not self.lowest <= offset < until:
            return None
        found = self._earliest(await self._read(offset, 1), key)
        return None if found is None else await self.first(key, found)

    async def author_of(self, ident: int, until: int) -> str | None:
        """Who wrote the message `ident` (before offset `until`); None when it is none that is
        shown."""
        if ident not in self._answered:
            self._answered[ident] = await self._author_of(ident, until)
            if len(self._answered) > ANSWERED_MAX:
                self._answered.popitem(last=False)
        return self._answered[ident]

    async def _author_of(self, ident: int, until: int) -> str | None:
        offset = self._placement.offset_of(ident)
        if not self.lowest <= offset < until:
            return None
        # Whether it is void, only what was before it can tell.
        start = max(offset - WINDOW, self.lowest)
        batch = await self._read(start, offset - start + 1)
        if not batch or batch[-1].offset != offset:
            raise LogUnavailable(f"the log ends before {offset}, though more follows")
        fold = ChannelFold(self._placement.channel, self._placement.id_of(start))
        *_, last = [fold.push(stored.value, stored.at_ms) for stored in batch]
        return last.sender if last.type == MESSAGE else None

    def _earliest(self, batch: Sequence[Stored], key: Key) -> Known | None:
        records = (Numbered(self._placement.id_of(s.offset), s.at_ms, s.value) for s in batch)
        return earliest(records, self._placement.channel, key)
