"""What the embedded log forgets, and when."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.log.port import Ends, Partition
from libs.log.sqlite import SqliteLog, open_sqlite
from libs.log.sqlite.sweep import SLICE_RECORDS_MAX, SWEEP_EVERY_MS, TOMBSTONE_KEPT_MS
from libs.wire.topics import Cleanup, Topic


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def log(clock: Clock) -> AsyncIterator[SqliteLog]:
    log = await open_sqlite(":memory:", now_ms=clock)
    yield log
    await log.close()


async def partition(log: SqliteLog, cleanup: Cleanup, kept_ms: int = 0) -> Partition:
    topic = Topic("t", 1, cleanup, key="", holds=(), writers=(), readers=(), kept_ms=kept_ms)
    await log.create_topics([topic])
    return Partition("t", 0)


async def offsets(log: SqliteLog, partition: Partition) -> list[int]:
    first = (await log.ends([partition]))[partition].first
    return [record.offset for record in await log.read(partition, first, limit=1_000)]


async def test_age_moves_the_first_offset_past_what_is_too_old(
    log: SqliteLog, clock: Clock
) -> None:
    aged = await partition(log, Cleanup.AGE, kept_ms=1_000)
    for _ in range(10):
        await log.append(aged, b"x")
        clock.now_ms += 300
    await log.sweep()
    # The youngest is 300 ms old, so three are less than 1,000 ms old.
    assert await log.ends([aged]) == {aged: Ends(7, 10)}
    assert await offsets(log, aged) == [7, 8, 9]
    clock.now_ms += 10_000
    await log.sweep()
    assert await log.ends([aged]) == {aged: Ends(10, 10)}
    assert (await log.append(aged, b"x")).offset == 10


async def test_what_is_kept_for_ever_is_kept(log: SqliteLog, clock: Clock) -> None:
    kept = await partition(log, Cleanup.NEVER)
    for _ in range(3):
        await log.append(kept, b"x", key=b"same")
    clock.now_ms += 100 * TOMBSTONE_KEPT_MS
    await log.sweep()
    assert await offsets(log, kept) == [0, 1, 2]


async def test_writing_sweeps_by_itself_once_a_minute(log: SqliteLog, clock: Clock) -> None:
    aged = await partition(log, Cleanup.AGE, kept_ms=10)
    await log.append(aged, b"old")
    clock.now_ms += SWEEP_EVERY_MS - 1
    await log.append(aged, b"not yet due")
    assert (await log.ends([aged]))[aged].first == 0
    clock.now_ms += 1
    await log.append(aged, b"due")
    # In memory one thread does all in turn: this waits behind the append, and the slice follows
    # it, so the next call but one sees what the sweep did.
    await log.ends([aged])
    assert (await log.ends([aged]))[aged].first == 1


async def test_a_compacted_topic_keeps_the_last_of_each_key_over_many_slices(
    log: SqliteLog,
) -> None:
    compacted = await partition(log, Cleanup.COMPACT)
    count = 2 * SLICE_RECORDS_MAX + 10
    await asyncio.gather(*(log.append(compacted, b"x", key=b"%d" % (n % 3)) for n in range(count)))
    await log.sweep()
    assert await offsets(log, compacted) == [count - 3, count - 2, count - 1]
    assert await log.ends([compacted]) == {compacted: Ends(0, count)}


async def test_a_tombstone_takes_its_key_along_and_goes_a_day_later(
    log: SqliteLog, clock: Clock
) -> None:
    compacted = await partition(log, Cleanup.COMPACT)
    for key, value in ((b"a", b"1"), (b"b", b"1"), (b"a", b""), (b"c", b""), (b"c", b"again")):
        await log.append(compacted, value, key=key)
    await log.sweep()
    assert await offsets(log, compacted) == [1, 2, 4]
    clock.now_ms += TOMBSTONE_KEPT_MS
    await log.sweep()
    assert await offsets(log, compacted) == [1, 2, 4]
    clock.now_ms += 1
    await log.sweep()
    assert await offsets(log, compacted) == [1, 4]


async def test_a_trim_over_many_slices_frees_what_is_below(log: SqliteLog) -> None:
    kept = await partition(log, Cleanup.NEVER)
    count = 2 * SLICE_RECORDS_MAX + 10
    await asyncio.gather(*(log.append(kept, b"x") for _ in range(count)))
    await log.trim(kept, count - 2)
    await log.sweep()
    assert await offsets(log, kept) == [count - 2, count - 1]
