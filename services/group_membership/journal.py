"""What this service writes: each kind of record to its topic, and faults as problems."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from libs.log.port import Log, LogError, NotWritten, OutcomeUnknown, Partition
from libs.wire import codes
from libs.wire.records import (
    AccessChanged,
    Ban,
    ChannelSettings,
    Claim,
    Membership,
    NameClaim,
    Record,
    RoleGiven,
    encode,
)
from libs.wire.topics import ACCESS_CHANGES, CHANNELS, DIRECTORY, GOVERNANCE, MEMBERS, NAMES, Topic

from .store import member_id, partition_of


class Written(NamedTuple):
    """Where a record is."""

    partition: Partition
    offset: int


class Shows(Protocol):
    """A view, as far as a writer is concerned."""

    async def reached(self, partition: Partition, offset: int) -> None:
        """Return when it has the record."""


class Journal:
    """Appends for handlers. `write` returns when the view has the record."""

    def __init__(self, log: Log, view: Shows) -> None:
        self._log = log
        self._view = view

    async def append(self, record: Record) -> Written:
        """Write one record. Raises `TryAgain` (`not_written`, `service_away`), or
        `OutcomeUnknown`."""
        try:
            return await put(self._log, record)
        except NotWritten as fault:
            raise codes.TryAgain(
                "not_written", "the log did not take it; send it again", retry_after_s=1
            ) from fault
        except OutcomeUnknown as fault:
            raise codes.OutcomeUnknown(
                "outcome_unknown", "it may be written; send the same again", retry_after_s=1
            ) from fault
        except LogError as fault:
            raise codes.TryAgain("service_away", f"the log does not answer: {fault}") from fault

    async def append_all(self, records: Sequence[Record]) -> list[Written]:
        """Write records side by side, in no order. Raises what the first failed one does, after all
        have ended. How many is the caller's bound."""
        ended = await asyncio.gather(*map(self.append, records), return_exceptions=True)
        for one in ended:
            if isinstance(one, BaseException):
                raise one
        return [one for one in ended if isinstance(one, Written)]

    async def write(self, *records: Record) -> None:
        """Write records one after the other, and return when the view has them."""
        for record in records:
            await self.show([await self.append(record)])

    async def show(self, written: Sequence[Written]) -> None:
        """Return when the view has all. Raises `OutcomeUnknown` when that takes too long."""
        for partition, offset in written:
            await self._view.reached(partition, offset)


async def put(log: Log, record: Record) -> Written:
    """Append a record where its kind belongs. Raises `LogError`."""
    topic, key = _address(record)
    partition = partition_of(topic, key)
    appended = await log.append(partition, encode(record), key=key.encode())
    return Written(partition, appended.offset)


def _address(record: Record) -> tuple[Topic, str]:
    match record:
        case Claim():
            return DIRECTORY, record.channel
        case NameClaim():
            return NAMES, record.handle
        case ChannelSettings():
            return CHANNELS, record.channel
        case Membership():
            return MEMBERS, member_id(record.channel, record.user)
        case RoleGiven() | Ban():
            return GOVERNANCE, record.channel
        case AccessChanged():
            return ACCESS_CHANGES, record.channel
        case _:
            raise TypeError(f"{type(record).__name__} is not written here")
