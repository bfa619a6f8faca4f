"""What every inspection keeps: a subclass gives `log` (served by somebody) and `seen` (looking)."""

import asyncio
from dataclasses import replace

import pytest

from libs.log.contract import filled, fresh, named, take
from libs.log.port import (
    Ends,
    Inspection,
    Log,
    LogUnavailable,
    Partition,
    PositionGone,
    UnknownTopic,
    from_group,
)
from libs.wire.topics import Cleanup


class InspectionContract:
    async def test_what_is_written_is_read(self, log: Log, seen: Inspection) -> None:
        partition = await filled(log, 3)
        records = await seen.read(partition, 1, limit=10)
        assert [(record.offset, record.value) for record in records] == [(1, b"1"), (2, b"2")]
        assert await seen.ends([partition]) == {partition: Ends(0, 3)}
        (first,) = await log.read(partition, 0, limit=1)
        assert await seen.offsets_at([partition], first.at_ms) == {partition: 0}

    async def test_a_tail_has_what_is_there_and_what_comes(
        self, log: Log, seen: Inspection
    ) -> None:
        partition = await filled(log, 2)
        async with seen.tail({partition: 1}) as tail:
            assert [record.value for record in await take(tail, 1)] == [b"1"]
            await log.append(partition, b"new")
            assert [record.value for record in await take(tail, 1)] == [b"new"]

    async def test_a_tail_is_told_what_is_gone(self, log: Log, seen: Inspection) -> None:
        partition = await filled(log, 5)
        await log.trim(partition, 3)
        async with seen.tail({partition: 1}) as tail:
            with pytest.raises(PositionGone) as gone:
                await take(tail, 1)
        assert gone.value.first == 3

    async def test_a_tail_ends_with_the_inspection(self, log: Log, seen: Inspection) -> None:
        partition = await filled(log, 1)
        async with seen.tail({partition: 0}) as tail:
            await take(tail, 1)
            waiting = asyncio.ensure_future(take(tail, 1))
            await asyncio.sleep(0)
            await seen.close()
            with pytest.raises(LogUnavailable):
                await waiting
        with pytest.raises(LogUnavailable):
            await seen.ends([partition])

    async def test_a_topic_as_asked_for_has_no_breach(self, log: Log, seen: Inspection) -> None:
        for cleanup in (Cleanup.NEVER, Cleanup.COMPACT):
            assert await seen.breaches(await fresh(log, 2, cleanup)) == []

    async def test_what_is_other_than_asked_for_is_named(self, log: Log, seen: Inspection) -> None:
        topic = await fresh(log, 2, Cleanup.COMPACT)
        wanted = replace(topic, partitions=3, cleanup=Cleanup.NEVER)
        breaches = await seen.breaches(wanted)
        assert any("partitions" in breach and "3" in breach for breach in breaches), breaches
        assert any(breach.startswith("cleanup") for breach in breaches), breaches

    async def test_a_topic_that_is_not_there_is_unknown(self, seen: Inspection) -> None:
        with pytest.raises(UnknownTopic):
            await seen.breaches(named("nobody-made-this"))
        with pytest.raises(UnknownTopic):
            await seen.describe("nobody-made-this")

    async def test_the_positions_of_a_group_are_known_where_it_committed(
        self, log: Log, seen: Inspection
    ) -> None:
        topic = await fresh(log, 2)
        first, second = Partition(topic.name, 0), Partition(topic.name, 1)
        await log.append(first, b"0")
        name = f"g-{topic.name}"
        async with log.group(name, [topic], from_group) as member:
            await take(member, 1)
            await member.commit(first, 1)
            assert await seen.committed(name, [first, second]) == {first: 1}
        assert await seen.committed("nobody", [first]) == {}
