"""Rings under one budget, and signals that cross the first read."""

import asyncio

from libs.log.port import Partition
from libs.testing.eventually import eventually
from libs.wire.records import Signal, decode
from libs.wire.topics import SIGNALS
from services.relay.channel import ENTRIES_KEPT
from services.relay.hub import Outbox
from services.relay.tests.instance import NEWS, OTHER, SOON_S, WatchedLog, append, bare


async def _signals(log: WatchedLog) -> list[Signal]:
    partition = Partition(SIGNALS.name, SIGNALS.partition_of(NEWS))
    found = [decode(stored.value) for stored in await log.read(partition, 0, limit=1_000)]
    return [signal for signal in found if isinstance(signal, Signal)]


async def test_all_who_want_a_channel_share_its_first_read(log: WatchedLog) -> None:
    await append(log, 10)
    async with bare(log) as (rings, _):
        found = await asyncio.gather(*(rings.ring(NEWS, -1) for _ in range(10)))
    assert len({id(ring) for ring in found}) == 1
    assert log.reads == 1


async def test_a_signal_during_the_first_read_is_not_lost(log: WatchedLog) -> None:
    await append(log, 2)
    async with bare(log) as (rings, _):
        log.go.clear()
        asking = asyncio.create_task(rings.ring(NEWS, -1))
        await eventually(lambda: log.reads == 1, within_s=SOON_S, what="the first read")
        await append(log, 3)
        for signal in await _signals(log):
            rings.take(signal)
        log.go.set()
        ring = await asking
        await eventually(lambda: ring.head == 5, within_s=SOON_S, what="the rest")


async def test_over_budget_the_ring_used_longest_ago_goes(log: WatchedLog) -> None:
    await append(log, 40)
    await append(log, 40, channel=OTHER)
    async with bare(log, bytes_max=30_000) as (rings, _):
        await rings.ring(NEWS, -1)
        await rings.ring(OTHER, -1)
        assert rings.peek(NEWS) is None
        assert rings.peek(OTHER) is not None


async def test_a_watched_channel_keeps_its_newest_entries(log: WatchedLog) -> None:
    await append(log, 40)
    await append(log, 40, channel=OTHER)
    async with bare(log, bytes_max=30_000) as (rings, hub):
        hub.watch(Outbox(10, 10_000, lambda: None), NEWS)
        ring = await rings.ring(NEWS, -1)
        await rings.ring(OTHER, -1)
        assert rings.peek(NEWS) is ring
        assert (ring.first, ring.head) == (41 - ENTRIES_KEPT, 40)


async def test_a_ring_that_was_dropped_before_it_was_watched_is_kept(log: WatchedLog) -> None:
    async with bare(log) as (rings, _):
        ring = await rings.ring(NEWS, -1)
        rings.drop(NEWS)
        rings.adopt(ring)
        assert rings.peek(NEWS) is ring
