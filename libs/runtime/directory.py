"""The channel directory as a service knows it: the fold of `channel-directory`, kept in memory."""

import asyncio
from collections.abc import Sequence

from libs.log.port import READ_RECORDS_MAX, LogError, Partition, Reads, Stored
from libs.runtime.clock import Clock
from libs.runtime.logging import logger
from libs.runtime.positions import Positions
from libs.wire.codec import Malformed
from libs.wire.codes import TryAgain
from libs.wire.directory import Directory, Placement
from libs.wire.records import Claim, decode
from libs.wire.topics import DIRECTORY

RETRY_S = 0.5
PARTITION = Partition(DIRECTORY.name, 0)

_log = logger("directory")


class DirectoryReader:
    """Follows the directory; `find` reads to its present end before it says that there is none.
    `reader`: the service that follows, for its metric."""

    def __init__(self, log: Reads, clock: Clock, *, reader: str = "") -> None:
        self.fold = Directory()
        self._positions = Positions(reader)
        self._log = log
        self._clock = clock
        self._next = 0
        self._asked = 0
        self._covered = 0
        self._reading = asyncio.Lock()
        self._fault: str | None = "not read yet"

    def lacks(self) -> list[str]:
        """Why the directory cannot be relied on yet."""
        return [f"directory: {self._fault}"] if self._fault else []

    async def find(self, channel: str, claim_offset: int = -1) -> Placement | None:
        """Where the channel is, or None. With the offset of its claim known nothing older than that
        is answered. Raises `TryAgain` when the log does not answer or does not have the claim."""
        found = self.fold.find(channel)
        if found is not None and self._next > claim_offset:
            return found
        await self.refresh()
        if self._next <= claim_offset:
            raise TryAgain("rebuilding", "the channel's claim is not in the directory yet")
        return self.fold.find(channel)

    async def refresh(self) -> None:
        """Read to the end as it is now. Callers that wait together share one read."""
        self._asked += 1
        asked = self._asked
        async with self._reading:
            if self._covered >= asked:
                return
            covering = self._asked
            try:
                await self._read_to_end()
            except LogError as fault:
                raise TryAgain("service_away", f"the directory does not answer: {fault}") from fault
            self._covered = covering

    async def run(self) -> None:
        """Follow for ever; faults of the log are waited out."""
        while True:
            try:
                await self._follow()
            except LogError as fault:
                self._fault = str(fault)
                _log.warning("directory waits", fault=self._fault)
                await self._clock.sleep(RETRY_S)

    async def _follow(self) -> None:
        async with self._reading:
            await self._read_to_end()
        self._fault = None
        self._positions.note({PARTITION: self._next})
        async with self._log.tail({PARTITION: self._next}) as tail:
            async for batch in tail:
                self._take(batch)

    async def _read_to_end(self) -> None:
        while batch := await self._log.read(PARTITION, self._next, limit=READ_RECORDS_MAX):
            self._take(batch)

    def _take(self, batch: Sequence[Stored]) -> None:
        for stored in batch:
            if stored.offset < self._next:
                continue
            self._next = stored.offset + 1
            try:
                record = decode(stored.value)
            except Malformed as fault:
                _log.error("directory record skipped", offset=stored.offset, fault=str(fault))
                continue
            if isinstance(record, Claim):
                self.fold.apply(stored.offset, record)
        self._positions.note({PARTITION: self._next})
