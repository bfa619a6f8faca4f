"""The directory reader knows every claim that was in the log when it was asked."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from libs.log.faults import FaultyLog, Script
from libs.log.port import Log, Partition, Stored
from libs.runtime.directory import PARTITION, RETRY_S, DirectoryReader
from libs.runtime.service import Ports
from libs.runtime.tests.world import SOON_S, running, turned, world
from libs.testing.eventually import eventually
from libs.wire import ids
from libs.wire.codes import TryAgain
from libs.wire.records import Claim, Heartbeat, encode
from libs.wire.topics import DIRECTORY


def channel(number: int) -> str:
    return ids.derived("channel", str(number))


def claim(number: int) -> bytes:
    return encode(
        Claim(
            channel=channel(number),
            epoch=1,
            topic="channel-log-000",
            partition=number,
            base_offset=0,
            base_id=1,
            kind="group",
            owner=ids.derived("ann"),
            visibility="public",
            title="News",
        )
    )


async def directory(ports: Ports, *values: bytes) -> None:
    await ports.log.create_topics([DIRECTORY])
    for value in values:
        await ports.log.append(PARTITION, value)


class Reads:
    """Of a log: reads that are counted, and wait while `gate` is closed."""

    def __init__(self, inner: Log) -> None:
        self._inner = inner
        self.count = 0
        self.gate = asyncio.Event()

    def as_log(self) -> Log:
        return cast(Log, self)

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        self.count += 1
        found = await self._inner.read(partition, start, limit=limit)
        await self.gate.wait()
        return found


async def test_a_channel_is_found_without_the_loop_and_an_unknown_one_is_none() -> None:
    async with world() as ports:
        await directory(ports, claim(0), claim(1))
        reader = DirectoryReader(ports.log, ports.clock)
        found = await reader.find(channel(1))
        assert found is not None
        assert (found.partition, found.claim_offset, found.epoch) == (1, 1, 1)
        assert await reader.find(channel(2)) is None
        await ports.log.append(PARTITION, claim(2))
        assert await reader.find(channel(2)) is not None


async def test_what_is_known_is_answered_without_reading() -> None:
    async with world() as ports:
        await directory(ports, claim(0))
        reads = Reads(ports.log)
        reads.gate.set()
        reader = DirectoryReader(reads.as_log(), ports.clock)
        await reader.find(channel(0))
        before = reads.count
        assert await reader.find(channel(0), claim_offset=0) is not None
        assert reads.count == before


async def test_nothing_older_than_the_claim_that_the_asker_knows_is_answered() -> None:
    async with world() as ports:
        await directory(ports, claim(0))
        reader = DirectoryReader(ports.log, ports.clock)
        await reader.refresh()
        await ports.log.append(PARTITION, claim(1))
        assert await reader.find(channel(0), claim_offset=1) is not None
        assert reader.fold.next_offset == 2
        with pytest.raises(TryAgain) as fault:
            await reader.find(channel(0), claim_offset=2)
        assert fault.value.code.name == "rebuilding"


async def test_who_asks_together_shares_a_read_and_who_asks_later_gets_a_later_one() -> None:
    async with world() as ports:
        await directory(ports, claim(0))
        reads = Reads(ports.log)
        reader = DirectoryReader(reads.as_log(), ports.clock)
        first = ports.tasks.spawn(reader.refresh(), name="refresh")
        await eventually(lambda: reads.count == 1, within_s=SOON_S, what="a read")
        # The read that is under way may have passed what these want to see.
        await ports.log.append(PARTITION, claim(1))
        later = [ports.tasks.spawn(reader.find(channel(1)), name="find") for _ in range(20)]
        await asyncio.sleep(0)
        reads.gate.set()
        await first
        assert all(await asyncio.gather(*later))
        # A read finds records, the next one finds the end: twice for two rounds.
        assert reads.count <= 4


async def test_a_record_that_is_none_is_skipped_and_told(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with world() as ports:
        garbage = (b"\xc1", b"", encode(Heartbeat()), claim(0)[:-3])
        await directory(ports, *garbage, claim(1))
        reader = DirectoryReader(ports.log, ports.clock)
        found = await reader.find(channel(1))
        assert found is not None
        assert found.claim_offset == len(garbage)
        assert await reader.find(channel(0)) is None
    out, err = capfd.readouterr()
    told = [line for line in (out + err).splitlines() if "directory record skipped" in line]
    assert len(told) == 3


async def test_a_log_that_does_not_answer_is_try_again() -> None:
    async with world() as ports:
        await directory(ports, claim(0))
        log = FaultyLog(ports.log, Script(reads=[True]))
        reader = DirectoryReader(log, ports.clock)
        with pytest.raises(TryAgain) as fault:
            await reader.find(channel(0))
        assert fault.value.code.name == "service_away"
        assert await reader.find(channel(0)) is not None


async def test_the_loop_follows_and_says_what_is_lacking() -> None:
    async with world() as ports:
        await directory(ports, claim(0))
        log, clock = FaultyLog(ports.log, Script()), turned(ports)
        reader = DirectoryReader(log, ports.clock)
        assert reader.lacks() == ["directory: not read yet"]
        async with running(reader.run):
            await eventually(lambda: not reader.lacks(), within_s=SOON_S, what="ready")
            await ports.log.append(PARTITION, claim(1))
            await eventually(lambda: reader.fold.next_offset == 2, within_s=SOON_S, what="followed")
            log.cut()
            await eventually(reader.lacks, within_s=SOON_S, what="away")
            assert reader.lacks() == ["directory: cut off from the log"]
            await ports.log.append(PARTITION, claim(2))
            log.heal()
            await clock.elapse(RETRY_S)
            await eventually(lambda: not reader.lacks(), within_s=SOON_S, what="back")
            await eventually(
                lambda: reader.fold.next_offset == 3, within_s=SOON_S, what="caught up"
            )
