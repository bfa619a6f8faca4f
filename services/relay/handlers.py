"""Pages: from the ring, or from the log, where all who want the same block share one read."""

from collections.abc import Sequence

from libs.log.port import LogError, PositionGone
from libs.runtime.flight import Flight
from libs.runtime.tasks import Tasks
from libs.wire.api import PAGE_MAX, Page, PageQuestion
from libs.wire.codes import Refused, TryAgain
from libs.wire.entries import Entry
from libs.wire.fold import ChannelFold

from .channel import Ring, start_of
from .metrics import READS
from .rings import Rings

# Ids of a block begin at 1, 101, 201 ...: gateways ask for the same ones.
BLOCK = 100


class Pages:
    """Answers questions for pages."""

    def __init__(self, rings: Rings, tasks: Tasks) -> None:
        self._rings = rings
        self._flight: Flight[tuple[str, int, int], Sequence[Entry]] = Flight(tasks)

    async def page(self, question: PageQuestion) -> Page:
        """The page. Beyond the head, or with `limit` 0, the head is the log's own as of now; where
        the first entry is gone there are none. Raises `Problem`."""
        if not 0 <= question.limit <= PAGE_MAX or question.first < 0:
            raise Refused("field_invalid", f"a page is 0 to {PAGE_MAX} entries from an id on")
        ring = await self._rings.ring(question.channel, question.claim_offset)
        if question.limit == 0 or question.first > ring.head:
            await self._catch_up(ring)
        entries = await self._entries(ring, question.first, question.limit)
        place = ring.placement
        return Page(place.channel, place.epoch, ring.head, ring.lowest, tuple(entries))

    async def _catch_up(self, ring: Ring) -> None:
        known = ring.head
        try:
            ends = await self._rings.reader.ends(ring.placement)
        except LogError as fault:
            raise _away(fault) from fault
        if self._rings.compare(ring, known, ends):
            await self._rings.heal(ring, ring.placement.id_of(ends.next) - 1)

    async def _entries(self, ring: Ring, first: int, limit: int) -> Sequence[Entry]:
        last = min(first + limit - 1, ring.head)
        if first < ring.lowest or last < first:
            return ()
        if first >= ring.first:
            return ring.after(first - 1, limit)
        found: list[Entry] = []
        for block in range((first - 1) // BLOCK, (last - 1) // BLOCK + 1):
            found += await self._block(ring, block)
        return [entry for entry in found if first <= entry.id <= last]

    async def _block(self, ring: Ring, block: int) -> Sequence[Entry]:
        begin, end = block * BLOCK + 1, min((block + 1) * BLOCK, ring.head)
        place = ring.placement
        # The end is part of the key: a block that grows is not answered from a shorter read.
        key = (place.channel, begin, end)
        try:
            return await self._flight.join(key, lambda: self._read(ring, begin, end))
        except PositionGone as gone:
            ring.lowest = max(ring.lowest, place.id_of(gone.first))
            return ()
        except LogError as fault:
            raise _away(fault) from fault

    async def _read(self, ring: Ring, begin: int, end: int) -> Sequence[Entry]:
        READS.inc()
        start = start_of(ring.placement, lowest=ring.lowest, first=begin)
        fold = ChannelFold(ring.placement.channel, start)
        found = []
        async for stored in self._rings.reader.records(ring.placement, start, end + 1):
            entry = fold.push(stored.value, stored.at_ms)
            if entry.id >= begin:
                found.append(entry)
        return found


def _away(fault: LogError) -> TryAgain:
    return TryAgain("service_away", f"the log does not answer: {fault}", retry_after_s=1)
