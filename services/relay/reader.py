"""Reads of a channel's records by id."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from libs.log.port import READ_RECORDS_MAX, Ends, Log, Partition, Stored
from libs.wire.directory import Placement


class Reader:
    """Reads a channel's records by id, at most `reads_max` reads at once."""

    def __init__(self, log: Log, reads_max: int) -> None:
        self._log = log
        self._room = asyncio.Semaphore(reads_max)

    async def ends(self, placement: Placement) -> Ends:
        """The ends of the channel's partition."""
        partition = Partition(placement.topic, placement.partition)
        return (await self._log.ends([partition]))[partition]

    async def some(
        self, placement: Placement, first: int, limit: int = READ_RECORDS_MAX
    ) -> Sequence[Stored]:
        """At most `limit` records from entry `first` on."""
        partition = Partition(placement.topic, placement.partition)
        async with self._room:
            return await self._log.read(partition, placement.offset_of(first), limit=limit)

    async def records(self, placement: Placement, first: int, until: int) -> AsyncIterator[Stored]:
        """The records of entries `first` .. `until` - 1, as far as there are any."""
        while first < until:
            limit = min(until - first, READ_RECORDS_MAX)
            batch = await self.some(placement, first, limit)
            if not batch:
                return
            for stored in batch:
                yield stored
            first += len(batch)
