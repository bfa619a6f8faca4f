"""The reading half of the embedded log, over a thread with a connection that reads."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from libs.log.port import (
    READ_RECORDS_MAX,
    Ends,
    LogUnavailable,
    NotWritten,
    OutcomeUnknown,
    Partition,
    Stored,
    TopicState,
)
from libs.log.sqlite import statements
from libs.log.sqlite.follow import Follower, Wakes
from libs.log.sqlite.worker import Worker

T = TypeVar("T")

# A batch of a tail: enough to share the hop between threads, small enough to be handled in one go.
TAIL_RECORDS_MAX = 500
TAIL_BYTES_MAX = 4 << 20


class SqliteReads:
    """What changes nothing. `_reader` is the thread that is asked; who inherits starts it."""

    def __init__(self, reader: Worker) -> None:
        self._reader = reader
        self._wakes = Wakes()

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        """See the port."""
        if not 1 <= limit <= READ_RECORDS_MAX:
            raise ValueError(f"a limit of {limit} is not within 1 to {READ_RECORDS_MAX}")
        act = partial(statements.page, partition=partition, start=start, limit=limit)
        return (await self._ask(act)).records

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        """See the port."""
        return await self._ask(partial(statements.ends, partitions=list(partitions)))

    async def offsets_at(
        self, partitions: Iterable[Partition], at_ms: int
    ) -> Mapping[Partition, int]:
        """See the port."""
        act = partial(statements.offsets_at, partitions=list(partitions), at_ms=at_ms)
        return await self._ask(act)

    async def describe(self, topic: str) -> TopicState:
        """See the port. The settings are `cleanup` and `kept_ms`."""
        return await self._ask(partial(statements.describe, topic=topic))

    def _follower(self) -> Follower:
        async def page_of(partition: Partition, start: int) -> statements.Page:
            act = partial(
                statements.page,
                partition=partition,
                start=start,
                limit=TAIL_RECORDS_MAX,
                bytes_max=TAIL_BYTES_MAX,
            )
            return await self._ask(act)

        return Follower(self._wakes, page_of, self.ends)

    async def _ask(self, act: Callable[[sqlite3.Connection], T]) -> T:
        return await or_unavailable(self._reader, act)


async def or_unavailable(worker: Worker, act: Callable[[sqlite3.Connection], T]) -> T:
    """What can be done again without harm, so that how it failed does not matter. Raises
    `LogUnavailable` for all that is no answer."""
    try:
        return await worker.call(act)
    except (NotWritten, OutcomeUnknown) as error:
        raise LogUnavailable(str(error)) from error
