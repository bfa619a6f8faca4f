"""Random reads, tails of many partitions and the posts between them, on a warm broker."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from libs.log.contract import fresh, offsets, take
from libs.log.kafka import KafkaLog, open_kafka
from libs.log.kafka import reads as reads_module
from libs.log.kafka.puller import RECORDS_MAX
from libs.log.kafka.reader import READERS
from libs.log.port import LogError, LogUnavailable, Partition

PARTITIONS = 20
EACH = 150
READS = 100
# Single reads take 1 to 5 ms; with the driver's defaults each would take half a second or more.
READ_TYPICAL_S = 0.1


@pytest.fixture
async def log(bootstrap: str) -> AsyncIterator[KafkaLog]:
    log = await open_kafka(bootstrap, single=True)
    yield log
    await log.close()


async def test_reads_anywhere_are_right_and_wait_for_nothing(log: KafkaLog) -> None:
    topic = await fresh(log, partitions=PARTITIONS)
    partitions = [Partition(topic.name, index) for index in range(PARTITIONS)]
    await asyncio.gather(
        *(log.append(each, b"%d" % each.index) for each in partitions for _ in range(EACH))
    )
    loop, chance, took = asyncio.get_running_loop(), random.Random(7), []

    async def read() -> None:
        partition, start = chance.choice(partitions), chance.randrange(EACH + 1)
        limit = chance.randrange(1, 120)
        began = loop.time()
        stored = await log.read(partition, start, limit=limit)
        took.append(loop.time() - began)
        assert offsets(stored) == list(range(start, min(start + limit, EACH)))
        assert {record.value for record in stored} <= {b"%d" % partition.index}

    for _ in range(READS // READERS):
        await asyncio.gather(*(read() for _ in range(READERS)))
    assert sorted(took)[len(took) // 2] < READ_TYPICAL_S


async def test_too_many_reads_at_once_are_refused(
    bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads_module, "READING_WAITING_MAX", 6)
    log = await open_kafka(bootstrap, single=True)
    partition = Partition((await fresh(log)).name, 0)
    reads = (log.read(partition, 0, limit=1) for _ in range(100))
    answers = await asyncio.gather(*reads, return_exceptions=True)
    assert sum(answer == [] for answer in answers) == READERS + 6
    assert all(isinstance(each, LogUnavailable) for each in answers if each != [])
    await log.close()


async def test_a_batch_of_a_tail_keeps_its_bound_and_misses_nothing(log: KafkaLog) -> None:
    topic = await fresh(log)
    partition = Partition(topic.name, 0)
    await asyncio.gather(*(log.append(partition, b"x") for _ in range(2_000)))
    async with log.tail({partition: 0}) as tail:
        first = await anext(aiter(tail))
        assert 1 <= len(first) <= RECORDS_MAX
        rest = await take(tail, 2_000 - len(first))
    assert offsets([*first, *rest]) == list(range(2_000))


async def test_a_closed_log_refuses_and_closes_twice(log: KafkaLog) -> None:
    partition = Partition((await fresh(log)).name, 0)
    await log.close()
    await log.close()
    for call in (log.ends([partition]), log.trim(partition, 1), log.describe(partition.topic)):
        with pytest.raises(LogUnavailable):
            await call
    with pytest.raises(LogError):
        async with log.tail({partition: 0}):
            pass
