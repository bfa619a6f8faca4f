"""Placement: a channel takes a partition by one append, and the order of the log decides."""

from collections.abc import Sequence
from random import Random

from libs.log.port import Log, LogError, Partition
from libs.runtime.directory import DirectoryReader
from libs.wire.codes import OutcomeUnknown, TryAgain
from libs.wire.directory import Placement

from .journal import Journal
from .metrics import CLAIMS_LOST
from .model import Draft
from .pools import Pools


class Claims:
    """Claims partitions. `tries` bounds how often a partition is lost to others; `random` picks."""

    def __init__(
        self, log: Log, directory: DirectoryReader, pools: Pools, *, tries: int, random: Random
    ) -> None:
        self._log = log
        self._directory = directory
        self._pools = pools
        self._tries = tries
        self._random = random

    async def place(self, draft: Draft, journal: Journal) -> tuple[Placement, bool]:
        """Where the channel is, and whether this claim put it there (another may have been first).

        Raises `TryAgain` (`no_room` when all is taken, or after all tries), `OutcomeUnknown`."""
        for _ in range(self._tries):
            topic, partition = self._random.choice(await self._pools.room())
            end = await self._end(Partition(topic, partition))
            try:
                written = await journal.append(draft.claim(topic, partition, end))
            except OutcomeUnknown:
                placement = await self._directory.find(draft.channel)
                if placement is None:
                    raise
                return placement, True
            placement = await self._directory.find(draft.channel, written.offset)
            if placement is not None:
                return placement, placement.claim_offset == written.offset
            CLAIMS_LOST.inc()
        raise TryAgain("no_room", "others took each partition that was tried; send the same again")

    async def heads(self, placements: Sequence[Placement]) -> list[int]:
        """The last id of each channel (0: nothing yet). Raises `TryAgain`."""
        places = [Partition(placement.topic, placement.partition) for placement in placements]
        try:
            ends = await self._log.ends(places)
        except LogError as fault:
            raise TryAgain("service_away", f"the log does not answer: {fault}") from fault
        return [
            placement.id_of(ends[place].next) - 1
            for placement, place in zip(placements, places, strict=True)
        ]

    async def _end(self, place: Partition) -> int:
        try:
            return (await self._log.ends([place]))[place].next
        except LogError as fault:
            raise TryAgain("service_away", f"the log does not answer: {fault}") from fault
