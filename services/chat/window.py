"""The newest entries of the channels that are posted to, kept in step with the log.

An instance sees its own appends at once and those of other instances by the hole that they leave
before its own next one: the hole is read, in order, before anything is said about the append. So a
verdict never depends on who wrote what.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from libs.log.port import (
    READ_RECORDS_MAX,
    Appended,
    Ends,
    Log,
    LogUnavailable,
    Partition,
    PositionGone,
    Stored,
)
from libs.runtime.flight import Flight
from libs.runtime.tasks import Tasks
from libs.wire.directory import Placement
from libs.wire.entries import VOID
from libs.wire.fold import WINDOW
from libs.wire.records import EntryRecord, encode

from .model import Key, Known, Window
from .past import Past


class CutBack(Exception):
    """The partition ends below an entry that this instance knows: it must not be written to."""


class ChannelWindow:
    """One channel's window over its partition. Made empty: `refresh` before anything else."""

    def __init__(self, log: Log, placement: Placement) -> None:
        self.placement = placement
        self.partition = Partition(placement.topic, placement.partition)
        self._log = log
        self._reading = asyncio.Lock()
        self._past = Past(placement, self._read)
        self._posts = Window(placement.channel, placement.base_id, is_whole=True)
        # Whether what is known may be less than what others were told, and whether to begin anew.
        self.is_stale = True
        self._is_lost = True

    @property
    def head(self) -> int:
        """The last id that is known here."""
        return self._posts.head

    @property
    def next_offset(self) -> int:
        """The offset after the last entry that is known here."""
        return self.placement.offset_of(self.head + 1)

    @property
    def held(self) -> int:
        """How many posts are remembered."""
        return self._posts.held

    async def refresh(self) -> None:
        """Read to the partition's present end. Raises `LogError`, and `CutBack`."""
        # Compared with what was known before the question: appends land while it is answered.
        known = self.next_offset
        ends = (await self._log.ends([self.partition]))[self.partition]
        if ends.next < known:
            self.is_stale = self._is_lost = True
            raise CutBack(f"{self.partition} ends at {ends.next}, not at {known}")
        await self._begin_anew(ends)
        await self._read_to(ends.next)
        self.is_stale = False

    async def landed(self, appended: Appended, raw: bytes) -> None:
        """Take an append of our own, after all that others appended before it."""
        await self._read_to(appended.offset)
        self._take(appended.offset, raw, appended.at_ms)

    async def settle(self) -> None:
        """Append an entry that is void: what was handed to the log before, by this instance, is
        read here now, or never will be there. Raises `LogError`."""
        head = EntryRecord(type=VOID, channel=self.placement.channel, author="", client_id="")
        raw = encode(head)
        await self.landed(await self._log.append(self.partition, raw), raw)

    async def find(self, key: Key) -> Known | None:
        """The message of this post, if the next entry could be its duplicate."""
        known = self._posts.known(key)
        if known is None or known.is_first:
            return known
        return await self._first(key, known)

    async def shown_as(self, key: Key, own: Known) -> Known:
        """The message that our own append, now taken, is shown as."""
        known = await self.find(key)
        # 512 entries of others may have come after it already: then the log itself is asked.
        return known if known is not None else await self._first(key, own)

    async def written_since(self, key: Key, ident: int) -> Known | None:
        """The message of this post, if that was appended not long after entry `ident` and is too
        old to be found otherwise."""
        return await self._past.written_since(key, ident, self.next_offset - WINDOW)

    async def message_at(self, key: Key, ident: int) -> Known | None:
        """The message of this post, if entry `ident` is one of its entries."""
        return await self._past.message_at(key, ident, self.next_offset)

    async def author_of(self, ident: int) -> str | None:
        """Who wrote the message `ident`; None when that is no message that is shown."""
        if not self._posts.holds(ident):
            return await self._past.author_of(ident, self.next_offset)
        key = self._posts.key_of(ident)
        first = None if key is None else await self.find(key)
        return key.author if key and first and first.id == ident else None

    async def _first(self, key: Key, known: Known) -> Known:
        first = await self._past.first(key, known)
        self._posts.settle(key, first)
        return first

    async def _begin_anew(self, ends: Ends) -> None:
        """If what is here is lost: forget it, and begin `WINDOW` entries before the end."""
        async with self._reading:
            if not self._is_lost:
                return
            base = self.placement.base_offset
            lowest = self._past.lowest = max(ends.first, base)
            start = max(lowest, ends.next - WINDOW)
            self._posts = Window(
                self.placement.channel, self.placement.id_of(start), is_whole=start == base
            )
            self._is_lost = False

    async def _read_to(self, until: int) -> None:
        while self.next_offset < until:
            async with self._reading:
                await self._read_some(until)

    async def _read_some(self, until: int) -> None:
        start = self.next_offset
        if start >= until:
            return
        limit = min(until - start, READ_RECORDS_MAX)
        batch = await self._read(start, limit)
        if not batch:
            raise LogUnavailable(f"{self.partition} has nothing at {start}, though more follows")
        for stored in batch:
            self._take(stored.offset, stored.value, stored.at_ms)

    async def _read(self, start: int, limit: int) -> Sequence[Stored]:
        try:
            return await self._log.read(self.partition, start, limit=limit)
        except PositionGone:
            self.is_stale = self._is_lost = True
            raise

    def _take(self, offset: int, raw: bytes, at_ms: int) -> None:
        # What came by another way meanwhile (an append of our own, a read) is there already.
        if offset == self.next_offset:
            self._posts.push(raw, at_ms)


class Windows:
    """The windows of the channels used last: at most `channels_max`, with `keys_max` posts."""

    def __init__(self, log: Log, tasks: Tasks, *, channels_max: int, keys_max: int) -> None:
        self._log = log
        self._flight: Flight[ChannelWindow, None] = Flight(tasks)
        self._settling: Flight[ChannelWindow, None] = Flight(tasks)
        self._channels_max = channels_max
        self._keys_max = keys_max
        self._known: OrderedDict[str, ChannelWindow] = OrderedDict()
        self._counted: dict[str, int] = {}
        self._keys = 0

    def __len__(self) -> int:
        return len(self._known)

    async def of(self, placement: Placement) -> ChannelWindow:
        """The channel's window, in step with all that this instance has heard of. Raises
        `LogError`, and `CutBack`."""
        window = self._known.get(placement.channel)
        if window is None or window.placement != placement:
            window = self._known[placement.channel] = ChannelWindow(self._log, placement)
        self._known.move_to_end(placement.channel)
        self._trim(window)
        if window.is_stale:
            await self._flight.join(window, window.refresh)
        return window

    async def settle(self, window: ChannelWindow) -> None:
        """See `ChannelWindow.settle`; all who want it now share one entry. One that is under way
        will do: what was handed over after it cannot have ended before it."""
        await self._settling.join(window, window.settle)

    def _trim(self, used: ChannelWindow) -> None:
        channel = used.placement.channel
        self._keys += used.held - self._counted.get(channel, 0)
        self._counted[channel] = used.held
        while len(self._known) > 1 and self._is_over():
            # A post under way keeps its window; the next one reads another.
            dropped, _ = self._known.popitem(last=False)
            self._keys -= self._counted.pop(dropped)

    def _is_over(self) -> bool:
        return len(self._known) > self._channels_max or self._keys > self._keys_max
