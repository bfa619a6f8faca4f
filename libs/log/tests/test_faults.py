"""Each fault does what its name says, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from libs.log.faults import Chance, Fault, FaultyLog, Later, Plan, Script
from libs.log.port import Log, LogUnavailable, NotWritten, OutcomeUnknown, Partition, from_group
from libs.log.sqlite import open_sqlite
from libs.wire.topics import Cleanup, Topic

TOPIC = Topic("t", 1, Cleanup.NEVER, key="", holds=(), writers=(), readers=())
PARTITION = Partition("t", 0)


@pytest.fixture
async def inner() -> AsyncIterator[Log]:
    log = await open_sqlite(":memory:", now_ms=lambda: 1)
    await log.create_topics([TOPIC])
    yield log
    await log.close()


async def values(log: Log) -> list[bytes]:
    return [record.value for record in await log.read(PARTITION, 0, limit=100)]


async def test_error_before_writes_nothing(inner: Log) -> None:
    log = FaultyLog(inner, Script([Fault.ERROR_BEFORE]))
    with pytest.raises(NotWritten):
        await log.append(PARTITION, b"1")
    await log.append(PARTITION, b"2")
    assert await values(log) == [b"2"]


async def test_append_then_error_is_unknown_and_written(inner: Log) -> None:
    log = FaultyLog(inner, Script([None, Fault.APPEND_THEN_ERROR]))
    await log.append(PARTITION, b"1")
    with pytest.raises(OutcomeUnknown):
        await log.append(PARTITION, b"2")
    assert await values(log) == [b"1", b"2"]


async def test_a_late_append_lands_after_its_retry_when_it_is_released(inner: Log) -> None:
    log = FaultyLog(inner, Script([Fault.ERROR_THEN_LATE_APPEND]))
    with pytest.raises(OutcomeUnknown):
        await log.append(PARTITION, b"first try")
    await log.append(PARTITION, b"retry")
    assert await values(log) == [b"retry"]
    await log.release()
    assert await values(log) == [b"retry", b"first try"]


async def test_a_late_append_lands_by_itself_when_its_delay_is_over(inner: Log) -> None:
    over = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        later = Later(sleep=lambda delay_s: over.wait(), spawn=tasks.create_task)
        log = FaultyLog(inner, Script([Fault.ERROR_THEN_LATE_APPEND]), later=later)
        with pytest.raises(OutcomeUnknown):
            await log.append(PARTITION, b"1")
        assert await values(log) == []
        over.set()
    assert await values(log) == [b"1"]


async def test_a_delayed_answer_comes_after_its_record_is_seen(inner: Log) -> None:
    log = FaultyLog(inner, Script([Fault.DELAYED_ACK]))
    async with asyncio.timeout(10), log.tail({PARTITION: 0}) as tail, asyncio.TaskGroup() as tasks:
        append = tasks.create_task(log.append(PARTITION, b"1"))
        assert [record.value for record in await anext(aiter(tail))] == [b"1"]
        await asyncio.sleep(0)
        assert not append.done()
        await log.release()
    assert append.result().offset == 0


async def test_a_read_can_be_unavailable_once(inner: Log) -> None:
    log = FaultyLog(inner, Script(reads=[True, False, True]))
    with pytest.raises(LogUnavailable):
        await log.read(PARTITION, 0, limit=1)
    assert await log.read(PARTITION, 0, limit=1) == []
    with pytest.raises(LogUnavailable):
        await log.ends([PARTITION])


CALLS: dict[str, Callable[[Log], Awaitable[object]]] = {
    "read": lambda log: log.read(PARTITION, 0, limit=1),
    "ends": lambda log: log.ends([PARTITION]),
    "offsets_at": lambda log: log.offsets_at([PARTITION], 0),
    "trim": lambda log: log.trim(PARTITION, 0),
    "create_topics": lambda log: log.create_topics([TOPIC]),
    "describe": lambda log: log.describe("t"),
    "tail": lambda log: log.tail({PARTITION: 0}).__aenter__(),
    "group": lambda log: log.group("g", [TOPIC], from_group).__aenter__(),
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_cut_log_is_unavailable_until_it_heals(inner: Log, name: str) -> None:
    log = FaultyLog(inner, Script())
    log.cut()
    with pytest.raises(LogUnavailable):
        await CALLS[name](log)
    with pytest.raises(NotWritten):
        await log.append(PARTITION, b"1")
    log.heal()
    await log.append(PARTITION, b"2")
    assert await values(log) == [b"2"]


async def test_a_cut_ends_the_wait_of_tails_and_members_which_then_miss_nothing(
    inner: Log,
) -> None:
    log = FaultyLog(inner, Script())
    async with log.tail({PARTITION: 0}) as tail, log.group("g", [TOPIC], from_group) as member:
        for follower in (tail, member):
            async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(_error(aiter(follower)))
                await asyncio.sleep(0)
                log.cut()
            assert isinstance(waiting.result(), LogUnavailable)
            log.heal()
        await inner.append(PARTITION, b"1")
        for follower in (tail, member):
            assert [record.value for record in await anext(aiter(follower))] == [b"1"]


async def _error(follower: AsyncIterator[object]) -> Exception | None:
    try:
        await anext(follower)
    except LogUnavailable as error:
        return error
    return None


async def test_the_same_seed_gives_the_same_faults() -> None:
    def drawn(seed: int) -> list[tuple[Fault | None, bool]]:
        plan: Plan = Chance(seed, {Fault.ERROR_BEFORE: 0.3, Fault.DELAYED_ACK: 0.2}, 0.1)
        return [(plan.for_append(), plan.for_read()) for _ in range(1_000)]

    assert drawn(7) == drawn(7) != drawn(8)
    appends = [fault for fault, _ in drawn(7)]
    assert {Fault.ERROR_BEFORE, Fault.DELAYED_ACK, None} == set(appends)
    assert 200 < appends.count(Fault.ERROR_BEFORE) < 400
    assert 50 < sum(unavailable for _, unavailable in drawn(7)) < 150
