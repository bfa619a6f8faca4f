"""Appending, and waiting until the view shows it; the log's errors become answers."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from libs.log.port import READ_RECORDS_MAX, Log, LogError, NotWritten, Partition, Stored
from libs.runtime.view import View
from libs.wire.codes import OutcomeUnknown, Problem, TryAgain
from libs.wire.records import Record, encode
from libs.wire.topics import Topic

from .store import place

RETRY_AFTER_S = 1


class Written(NamedTuple):
    """Where a record of a key was appended."""

    partition: Partition
    offset: int
    key: bytes


class Ledger:
    """What session writes. Every method raises `TryAgain` when certainly nothing was written and
    `OutcomeUnknown` when it may have been."""

    def __init__(self, log: Log, view: View) -> None:
        self._log = log
        self._view = view

    async def append(self, topic: Topic, key: str, record: Record | None) -> Written:
        """Append a record under a key; None takes what stood there away."""
        partition = place(topic, key)
        value = b"" if record is None else encode(record)
        try:
            appended = await self._log.append(partition, value, key=key.encode())
        except LogError as fault:
            raise _translated(fault) from fault
        return Written(partition, appended.offset, key.encode())

    async def shown(self, written: Written) -> None:
        """Return when the view has it."""
        await self._view.reached(written.partition, written.offset)

    async def before(self, written: Written, start: int) -> AsyncIterator[Stored]:
        """The records of the same key from position `start` up to what was written."""
        while start < written.offset:
            limit = min(READ_RECORDS_MAX, written.offset - start)
            try:
                batch = await self._log.read(written.partition, start, limit=limit)
            except LogError as fault:
                raise _unknown() from fault
            for stored in batch:
                if stored.key == written.key and stored.offset < written.offset:
                    yield stored
            start = batch[-1].offset + 1 if batch else written.offset


def _translated(fault: LogError) -> Problem:
    if isinstance(fault, NotWritten):
        return TryAgain("not_written", "nothing was written", retry_after_s=RETRY_AFTER_S)
    return _unknown()


def _unknown() -> OutcomeUnknown:
    detail = "the log did not answer in time; ask again to see what counts"
    return OutcomeUnknown("outcome_unknown", detail, retry_after_s=RETRY_AFTER_S)
