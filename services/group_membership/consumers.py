"""Log in: the fold of the view, and the announcement of what it changed."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice

from libs.log.port import Log, LogError, LogUnavailable, Stored
from libs.runtime.clock import Clock
from libs.runtime.directory import DirectoryReader
from libs.runtime.logging import logger
from libs.store import Pipeline
from libs.wire.codec import Malformed
from libs.wire.codes import TryAgain
from libs.wire.records import (
    AccessChanged,
    Ban,
    ChannelSettings,
    Claim,
    Membership,
    NameClaim,
    Record,
    RoleGiven,
    decode,
)
from libs.wire.topics import DIRECTORY

from . import store
from .journal import put
from .metrics import ANNOUNCED, SKIPPED

# A record older than this is one that a rebuild folds again: gateways remember a yes for 10 min at
# most, so whom it concerned has been asked about anew since.
ANNOUNCE_MS = 15 * 60_000
# Announcements under way at once: enough for the log to write them in one go.
ANNOUNCE_AT_ONCE = 100
RETRY_S = 0.2

_log = logger("membership.consumers")


class Folding:
    """Queues the writes of a batch. A claim counts if the directory says that it won."""

    def __init__(self, directory: DirectoryReader) -> None:
        self._directory = directory

    async def __call__(self, pipe: Pipeline, batch: Sequence[Stored]) -> None:
        """See `libs.runtime.view`. Raises `LogUnavailable`."""
        if batch[0].partition.topic == DIRECTORY.name:
            await self._read_as_far(batch[-1].offset)
        for stored in batch:
            record = _decoded(stored)
            if record is not None:
                self._put(pipe, record, stored)

    async def _read_as_far(self, offset: int) -> None:
        if self._directory.fold.next_offset > offset:
            return
        try:
            await self._directory.refresh()
        except TryAgain as fault:
            raise LogUnavailable(str(fault)) from fault

    def _put(self, pipe: Pipeline, record: Record, stored: Stored) -> None:
        match record:
            case Claim():
                placement = self._directory.fold.find(record.channel)
                if placement is not None and placement.claim_offset == stored.offset:
                    store.put_claim(pipe, record, stored.value, stored.at_ms)
            case NameClaim():
                store.put_name(pipe, record, stored.value)
            case ChannelSettings():
                store.put_settings(pipe, record, stored.value)
            case Membership():
                store.put_membership(pipe, record)
            case RoleGiven():
                store.put_role(pipe, record)
            case Ban():
                store.put_ban(pipe, record)


class Announcer:
    """Tells gateways what changed, after the view has it."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def __call__(self, batch: Sequence[Stored]) -> None:
        """See `libs.runtime.view`. Returns when all of the batch is told: whoever went on without
        would leave a banned user reading, so it waits for the log as long as it takes."""
        since_ms = self._clock.now_ms() - ANNOUNCE_MS
        changes = dict.fromkeys(_changes(stored for stored in batch if stored.at_ms >= since_ms))
        left = iter(changes)
        while some := list(islice(left, ANNOUNCE_AT_ONCE)):
            await asyncio.gather(*map(self._tell, some))

    async def _tell(self, change: tuple[str, str | None]) -> None:
        channel, user = change
        while True:
            try:
                await put(self._log, AccessChanged(channel=channel, user=user))
            except LogError as fault:
                # Told twice is asked twice: no harm.
                _log.warning("announcement waits", fault=str(fault))
                await self._clock.sleep(RETRY_S)
            else:
                ANNOUNCED.inc()
                return


def _changes(batch: Iterator[Stored]) -> Iterator[tuple[str, str | None]]:
    for stored in batch:
        record = _decoded(stored)
        if isinstance(record, Membership | RoleGiven | Ban):
            yield record.channel, record.user
        elif isinstance(record, ChannelSettings):
            yield record.channel, None


def _decoded(stored: Stored) -> Record | None:
    try:
        return decode(stored.value)
    except Malformed as fault:
        SKIPPED.inc()
        _log.error("record skipped", topic=stored.partition.topic, fault=str(fault))
        return None
