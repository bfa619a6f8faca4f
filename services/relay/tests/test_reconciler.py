"""The budget of the comparison, and reads by id."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from libs.log.port import Ends, Log, LogUnavailable, Partition
from libs.runtime.directory import DirectoryReader
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from services.relay.consumers import STEP_S, Reconciler
from services.relay.hub import Hub, Outbox
from services.relay.reader import Reader
from services.relay.rings import Rings
from services.relay.tests.instance import HOMES, NEWS, OTHER, SOON_S, WatchedLog, append, ports


class AskedLog(WatchedLog):
    """Remembers what ends were asked for."""

    def __init__(self, inner: Log) -> None:
        super().__init__(inner)
        self.asked: list[list[int]] = []

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        wanted = list(partitions)
        self.asked.append([partition.index for partition in wanted])
        return await super().ends(wanted)


@asynccontextmanager
async def _watched(log: AskedLog, per_s: int) -> AsyncIterator[tuple[Reconciler, Rings]]:
    async with asyncio.TaskGroup() as group:
        made = ports(log, group)
        hub, directory = Hub(), DirectoryReader(log, made.clock)
        rings = Rings(made, directory, hub, bytes_max=1 << 20, reads_max=4)
        for channel in HOMES:
            hub.watch(Outbox(10, 10_000, lambda: None), channel)
            await rings.ring(channel, -1)
        log.asked.clear()
        yield Reconciler(made, directory, rings=rings, hub=hub, per_s=per_s), rings


async def test_each_step_asks_for_its_share_and_all_get_their_turn(log: WatchedLog) -> None:
    asked = AskedLog(log)
    async with _watched(asked, per_s=int(1 / STEP_S)) as (reconciler, _):
        for _ in range(4):
            await reconciler.step()
    assert sorted(asked.asked[:2]) == sorted(asked.asked[2:]) == [[3], [4]]


async def test_one_call_compares_a_batch_and_heals_what_is_behind(log: WatchedLog) -> None:
    asked = AskedLog(log)
    async with _watched(asked, per_s=2_000) as (reconciler, rings):
        await append(log, 5, signalled=False)
        await reconciler.step()
        heads = {channel: ring.head for channel in HOMES if (ring := rings.peek(channel))}
    assert heads == {NEWS: 5, OTHER: 0}
    assert sorted(asked.asked[0]) == [3, 4]


async def test_a_step_that_failed_is_no_reconciled_round(log: WatchedLog) -> None:
    asked = AskedLog(log)
    async with _watched(asked, per_s=2_000) as (reconciler, _):
        before = reconciler.reconciled_ms
        asked.cut()
        with pytest.raises(LogUnavailable):
            await reconciler.step()
        assert reconciler.reconciled_ms == before
        asked.heal()
        await reconciler.step()
        assert reconciler.reconciled_ms >= before


class Leaderless(AskedLog):
    """One partition loses its leader."""

    lost: int | None = None

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        wanted = list(partitions)
        found = await super().ends(wanted)
        if any(each.index == self.lost for each in wanted):
            raise LogUnavailable("nobody leads it")
        return found


async def test_a_partition_that_nobody_leads_holds_up_its_batch_and_no_other(
    log: WatchedLog,
) -> None:
    """Its round is none that was whole, so the age of the comparison that gateways are told
    grows."""
    asked = Leaderless(log)
    async with _watched(asked, per_s=int(1 / STEP_S)) as (reconciler, rings):
        asked.lost = HOMES[OTHER].partition
        before = reconciler.reconciled_ms
        await append(log, 1, signalled=False)
        for _ in range(4):
            with suppress(LogUnavailable):
                await reconciler.step()
        ring = rings.peek(NEWS)
        assert ring is not None
        assert ring.head == 1
        assert reconciler.reconciled_ms == before
    assert sorted(asked.asked[:2]) == [[3], [4]]


async def test_a_fault_of_the_log_does_not_end_the_loop(log: WatchedLog) -> None:
    asked = AskedLog(log)
    async with _watched(asked, per_s=2_000) as (_, rings), asyncio.TaskGroup() as group:
        clock = VirtualClock()
        hub = Hub()
        hub.watch(Outbox(10, 10_000, lambda: None), NEWS)
        directory = DirectoryReader(asked, clock)
        await directory.refresh()
        made = replace(ports(asked, group), clock=clock)
        reconciler = Reconciler(made, directory, rings=rings, hub=hub, per_s=8)
        run = group.create_task(reconciler.run())
        asked.cut()
        await clock.elapse(STEP_S)
        asked.heal()
        await append(log, 1, signalled=False)
        await clock.elapse(STEP_S)
        ring = rings.peek(NEWS)
        assert ring is not None
        await eventually(lambda: ring.head == 1, within_s=SOON_S, what="the entry")
        run.cancel()


async def test_records_are_read_by_id_across_batches(log: WatchedLog) -> None:
    await append(log, 1_100, signalled=False)
    reader = Reader(log, 1)
    found = [stored.offset async for stored in reader.records(HOMES[NEWS], 51, 1_200)]
    assert found == list(range(50, 1_100))
    assert [stored.offset for stored in await reader.some(HOMES[NEWS], 3, 2)] == [2, 3]


async def test_more_reads_than_the_bound_wait(log: WatchedLog) -> None:
    reader = Reader(log, 2)
    log.go.clear()
    reading = [asyncio.create_task(reader.some(HOMES[NEWS], 1)) for _ in range(5)]
    await eventually(lambda: log.reads == 2, within_s=SOON_S, what="two reads")
    log.go.set()
    await asyncio.gather(*reading)
    assert log.reads == 5
