"""Lost, large and late signals: the watcher gets every entry, in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection

from libs.log.port import Partition
from libs.testing.eventually import eventually
from libs.wire.frames import Appended, Snapshot, Unwatched, Watch
from libs.wire.topics import SIGNALS
from services.relay.tests.instance import (
    HOMES,
    NEWS,
    SOON_S,
    Relay,
    WatchedLog,
    append,
    claim,
    hear,
    home,
    signal,
    tell,
)


@asynccontextmanager
async def _watching(relay: Relay) -> AsyncIterator[ClientConnection]:
    async with relay.connect() as link:
        await tell(link, Watch(NEWS, -1, -1))
        assert isinstance(await hear(link), Snapshot)
        yield link


async def _ids(link: ClientConnection, count: int) -> list[int]:
    heard: list[int] = []
    while len(heard) < count:
        frame = await hear(link)
        assert isinstance(frame, Appended)
        heard += [entry.id for entry in frame.entries]
    return heard


@pytest.mark.law("L8")
async def test_reconciling_finds_entries_without_a_signal(relay: Relay, log: WatchedLog) -> None:
    async with _watching(relay) as link:
        await append(log, 70, signalled=False)
        assert await _ids(link, 70) == list(range(1, 71))


@pytest.mark.law("L2", "L8")
async def test_a_signal_after_a_lost_one_fetches_the_gap_at_once(
    relay: Relay, log: WatchedLog
) -> None:
    async with _watching(relay) as link:
        await append(log, 2, signalled=False)
        await append(log, 1)
        assert await _ids(link, 3) == [1, 2, 3]


async def test_signals_without_records_out_of_order_and_repeated_are_fine(
    relay: Relay, log: WatchedLog
) -> None:
    async with _watching(relay) as link:
        await append(log, 4, signalled=False)
        for ident in (2, 1, 4, 4, 3):
            await signal(log, HOMES[NEWS], ident=ident, at_ms=0, raw=None)
        assert await _ids(link, 4) == [1, 2, 3, 4]


async def test_what_is_no_signal_is_skipped(relay: Relay, log: WatchedLog) -> None:
    async with _watching(relay) as link:
        await log.append(Partition(SIGNALS.name, SIGNALS.partition_of(NEWS)), b"nonsense")
        await append(log, 1)
        assert await _ids(link, 1) == [1]


async def test_after_a_break_of_the_log_nothing_is_missing(relay: Relay, log: WatchedLog) -> None:
    async with _watching(relay) as link:
        await append(log, 1)
        assert await _ids(link, 1) == [1]
        log.cut()
        await eventually(relay.running.lacks, within_s=SOON_S, what="the relay lacks its log")
        log.heal()
        await append(log, 3)
        assert await _ids(link, 3) == [2, 3, 4]


async def test_who_watches_a_partition_that_was_cut_back_is_told(
    relay: Relay, log: WatchedLog
) -> None:
    await append(log, 3)
    async with _watching(relay) as link:
        log.cut_by = 2
        assert await hear(link) == Unwatched(NEWS, "service_away")
        await tell(link, Watch(NEWS, -1, -1))
        assert await hear(link) == Unwatched(NEWS, "service_away")
        log.cut_by = 0
        await tell(link, Watch(NEWS, -1, -1))
        assert isinstance(await hear(link), Snapshot)


async def test_a_new_epoch_is_a_new_snapshot(relay: Relay, log: WatchedLog) -> None:
    second = home(NEWS, 5, epoch=2, base_id=1_000_001)
    await append(log, 1)
    async with _watching(relay) as link:
        await append(log, 2, place=second, signalled=False)
        await claim(log, second)
        frame = await hear(link)
        assert isinstance(frame, Snapshot)
        assert (frame.epoch, [entry.id for entry in frame.entries]) == (2, [1_000_001, 1_000_002])
        await append(log, 1, place=second)
        assert await _ids(link, 1) == [1_000_003]
