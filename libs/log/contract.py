"""The contract suite: each guarantee of the port is a test that every adapter passes.

A subclass in a test module, named `Test...`, gives the fixture `log` (fresh or shared: each test
makes topics of its own). `compact` makes an adapter forget now, where it can be asked to.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4

import pytest

from libs.log.port import (
    READ_RECORDS_MAX,
    RECORD_BYTES_MAX,
    Ends,
    Group,
    Log,
    LogError,
    LogUnavailable,
    NotWritten,
    Partition,
    PositionGone,
    Positions,
    Stored,
    Tail,
    TopicMismatch,
    UnknownTopic,
    from_group,
)
from libs.wire.topics import Cleanup, Topic

# A real broker's rebalance takes seconds; nothing that is right takes longer than this.
DEADLINE_S = 30.0


def named(name: str, partitions: int = 1, cleanup: Cleanup = Cleanup.NEVER) -> Topic:
    return Topic(name, partitions, cleanup, key="any", holds=(), writers=(), readers=())


async def fresh(log: Log, partitions: int = 1, cleanup: Cleanup = Cleanup.NEVER) -> Topic:
    """A topic that no other test knows."""
    topic = named(f"contract-{uuid4().hex[:12]}", partitions, cleanup)
    await log.create_topics([topic])
    return topic


async def filled(log: Log, count: int) -> Partition:
    """A partition with the records b"0", b"1" and so on."""
    partition = Partition((await fresh(log)).name, 0)
    for number in range(count):
        await log.append(partition, str(number).encode())
    return partition


async def take(tail: Tail, count: int) -> list[Stored]:
    """The next records of a tail, at least so many."""
    taken: list[Stored] = []
    async with asyncio.timeout(DEADLINE_S):
        async for batch in tail:
            assert batch
            assert len({record.partition for record in batch}) == 1
            taken.extend(batch)
            if len(taken) >= count:
                return taken
    raise AssertionError("a tail ended")


async def outcome(call: Awaitable[object]) -> object:
    """What a call gives, or the log's error that it raises."""
    try:
        return await call
    except LogError as error:
        return error


def offsets(records: Sequence[Stored]) -> list[int]:
    return [record.offset for record in records]


class Hand:
    """A member at work: handles, commits, and says when it was given partitions."""

    def __init__(self, log: Log, topic: Topic, tasks: asyncio.TaskGroup) -> None:
        self.handled: list[Stored] = []
        self.assigned: frozenset[Partition] = frozenset()
        self.given = asyncio.Event()
        self.reached = asyncio.Event()
        self._wanted = 0
        self._member = log.group(f"hands-{topic.name}", [topic], self._positions)
        self.stop = tasks.create_task(self._work()).cancel

    async def _positions(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        if partitions:
            self.given.set()
        return {}

    async def _work(self) -> None:
        async with self._member as member:
            async for batch in member:
                self.handled.extend(batch)
                self.assigned = member.assigned()
                await member.commit(batch[0].partition, batch[-1].offset + 1)
                if self._wanted <= len(self.handled):
                    self.reached.set()

    async def wait_for(self, count: int) -> None:
        self._wanted = count
        if len(self.handled) < count:
            self.reached.clear()
            await self.reached.wait()


@asynccontextmanager
async def two_at_work(log: Log, topic: Topic) -> AsyncIterator[tuple[Hand, Hand]]:
    """Two members of a group, each with its share of the partitions."""
    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
        one = Hand(log, topic, tasks)
        await one.given.wait()
        two = Hand(log, topic, tasks)
        await two.given.wait()
        yield one, two
        one.stop()
        two.stop()


def at(position: int) -> Positions:
    """A caller that keeps this position for every partition."""

    async def positions(partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        return dict.fromkeys(partitions, position)

    return positions


def readers(
    log: Log, partition: Partition, positions: Positions
) -> AbstractAsyncContextManager[Group]:
    """A member of the group "readers" of this topic."""
    return log.group(f"readers-{partition.topic}", [named(partition.topic)], positions)


class LogContract:
    """Subclass it with a fixture `log`."""

    @pytest.fixture
    def log(self) -> Log:
        raise NotImplementedError("each adapter gives its own")

    async def compact(self, log: Log) -> None:
        """Forget now what compaction lets go of; an adapter that cannot be asked leaves it."""

    @pytest.mark.law("L3")
    async def test_offsets_rise_by_one_from_zero(self, log: Log) -> None:
        partition = Partition((await fresh(log)).name, 0)
        appended = [await log.append(partition, b"x") for _ in range(5)]
        assert [each.offset for each in appended] == [0, 1, 2, 3, 4]

    async def test_a_success_is_one_record_that_readers_see_at_once(self, log: Log) -> None:
        partition = Partition((await fresh(log)).name, 0)
        appended = await log.append(partition, b"value", key=b"key")
        stored = Stored(partition, *appended, b"key", b"value")
        assert await log.read(partition, 0, limit=10) == [stored]

    async def test_concurrent_appends_are_dense_and_each_is_there_once(self, log: Log) -> None:
        partition = Partition((await fresh(log)).name, 0)
        values = [str(number).encode() for number in range(200)]
        appended = await asyncio.gather(*(log.append(partition, value) for value in values))
        stored = await log.read(partition, 0, limit=READ_RECORDS_MAX)
        assert offsets(stored) == list(range(200))
        by_offset = {a.offset: v for a, v in zip(appended, values, strict=True)}
        assert by_offset == {record.offset: record.value for record in stored}

    async def test_a_cancelled_append_is_there_once_or_not_at_all(self, log: Log) -> None:
        partition = Partition((await fresh(log)).name, 0)
        async with asyncio.TaskGroup() as tasks:
            cut = [tasks.create_task(log.append(partition, b"cut")) for _ in range(3)]
            await asyncio.sleep(0)
            for task in cut:
                task.cancel()
        last = await log.append(partition, b"after")
        stored = await log.read(partition, 0, limit=10)
        assert offsets(stored) == list(range(last.offset + 1))
        assert [record.value for record in stored[:-1]] == [b"cut"] * last.offset
        assert last.offset <= len(cut)

    async def test_a_record_may_be_as_large_as_the_bound_and_no_larger(self, log: Log) -> None:
        partition = Partition((await fresh(log)).name, 0)
        await log.append(partition, bytes(RECORD_BYTES_MAX - 3), key=b"key")
        with pytest.raises(ValueError):
            await log.append(partition, bytes(RECORD_BYTES_MAX - 2), key=b"key")
        (stored,) = await log.read(partition, 0, limit=10)
        assert len(stored.value) == RECORD_BYTES_MAX - 3

    async def test_times_do_not_fall_within_a_partition(self, log: Log) -> None:
        partition = Partition((await fresh(log)).name, 0)
        appended = [await log.append(partition, b"x") for _ in range(20)]
        times = [each.at_ms for each in appended]
        assert times == sorted(times)
        assert times == [record.at_ms for record in await log.read(partition, 0, limit=20)]

    async def test_a_read_keeps_its_limit_and_ends_at_the_end(self, log: Log) -> None:
        partition = await filled(log, 10)
        assert offsets(await log.read(partition, 0, limit=4)) == [0, 1, 2, 3]
        assert offsets(await log.read(partition, 7, limit=4)) == [7, 8, 9]
        for beyond in (10, 1_000_000):
            assert await log.read(partition, beyond, limit=4) == []

    async def test_a_read_over_the_bound_is_refused(self, log: Log) -> None:
        partition = await filled(log, 1)
        for limit in (0, READ_RECORDS_MAX + 1):
            with pytest.raises(ValueError):
                await log.read(partition, 0, limit=limit)

    async def test_the_ends_of_a_thousand_partitions_are_one_call(self, log: Log) -> None:
        topic = await fresh(log, partitions=1_000)
        await log.append(Partition(topic.name, 999), b"x")
        partitions = [Partition(topic.name, index) for index in range(1_000)]
        ends = await log.ends(partitions)
        assert list(ends.values()).count(Ends(0, 0)) == 999
        assert ends[partitions[999]] == Ends(0, 1)

    async def test_a_time_has_an_offset(self, log: Log) -> None:
        partition = Partition((await fresh(log)).name, 0)
        appended = [await log.append(partition, b"x") for _ in range(9)]
        for each in appended:
            first = min(other.offset for other in appended if other.at_ms >= each.at_ms)
            assert await log.offsets_at([partition], each.at_ms) == {partition: first}
        assert await log.offsets_at([partition], 0) == {partition: 0}
        assert await log.offsets_at([partition], appended[-1].at_ms + 1) == {partition: 9}

    async def test_a_trimmed_position_is_gone_with_the_first_that_is_left(self, log: Log) -> None:
        partition = await filled(log, 10)
        await log.trim(partition, 6)
        await log.trim(partition, 2)  # a trim never goes back
        assert await log.ends([partition]) == {partition: Ends(6, 10)}
        with pytest.raises(PositionGone) as read_gone:
            await log.read(partition, 5, limit=1)
        assert (read_gone.value.partition, read_gone.value.first) == (partition, 6)
        assert offsets(await log.read(partition, 6, limit=9)) == [6, 7, 8, 9]
        async with log.tail({partition: 5}) as tail:
            with pytest.raises(PositionGone) as tail_gone:
                await take(tail, 1)
        assert tail_gone.value.first == 6

    async def test_offsets_go_on_after_all_was_trimmed(self, log: Log) -> None:
        partition = await filled(log, 3)
        await log.trim(partition, 3)
        assert await log.read(partition, 3, limit=1) == []
        assert (await log.append(partition, b"x")).offset == 3

    async def test_compaction_keeps_the_last_of_each_key_in_order(self, log: Log) -> None:
        partition = Partition((await fresh(log, cleanup=Cleanup.COMPACT)).name, 0)
        for number in range(30):
            await log.append(partition, str(number).encode(), key=b"%d" % (number % 4))
        await self.compact(log)
        stored = await log.read(partition, 0, limit=100)
        assert offsets(stored) == sorted(set(offsets(stored)))
        last = {record.key: record.value for record in stored}
        assert last == {b"0": b"28", b"1": b"29", b"2": b"26", b"3": b"27"}
        assert (await log.append(partition, b"x", key=b"0")).offset == 30
        async with log.tail({partition: 7}) as tail:
            tailed = await take(tail, sum(record.offset >= 7 for record in stored) + 1)
        assert offsets(tailed) == [*(n for n in offsets(stored) if n >= 7), 30]

    async def test_a_tail_starts_at_its_position_and_waits_for_more(self, log: Log) -> None:
        partition = await filled(log, 5)
        async with log.tail({partition: 3}) as tail:
            assert offsets(await take(tail, 2)) == [3, 4]
            async with asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(take(tail, 1))
                await asyncio.sleep(0)
                await log.append(partition, b"late")
            assert [record.value for record in waiting.result()] == [b"late"]

    async def test_a_tail_beyond_the_end_waits_for_its_position(self, log: Log) -> None:
        partition = await filled(log, 1)
        async with log.tail({partition: 3}) as tail, asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(take(tail, 1))
            for _ in range(3):
                await log.append(partition, b"x")
        assert offsets(waiting.result()) == [3]

    async def test_a_tail_that_was_cancelled_misses_nothing(self, log: Log) -> None:
        partition = await filled(log, 1)
        async with log.tail({partition: 0}) as tail:
            async with asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(take(tail, 1))
                await asyncio.sleep(0)
                waiting.cancel()
            await log.append(partition, b"1")
            assert offsets(await take(tail, 2)) == [0, 1]

    async def test_a_tail_follows_many_partitions_each_in_order(self, log: Log) -> None:
        topic = await fresh(log, partitions=50)
        partitions = [Partition(topic.name, index) for index in range(50)]
        async with log.tail(dict.fromkeys(partitions, 0)) as tail:
            for _ in range(3):
                await asyncio.gather(*(log.append(partition, b"x") for partition in partitions))
            taken = await take(tail, 150)
        for partition in partitions:
            assert offsets([r for r in taken if r.partition == partition]) == [0, 1, 2]

    async def test_members_share_partitions_and_handle_each_record_once(self, log: Log) -> None:
        topic = await fresh(log, partitions=4)
        async with two_at_work(log, topic) as (one, two):
            for number in range(40):
                await log.append(Partition(topic.name, number % 4), b"x")
            await one.wait_for(20)
            await two.wait_for(20)
        assert len({(r.partition, r.offset) for r in one.handled + two.handled}) == 40
        assert len(one.handled) + len(two.handled) == 40
        assert len(one.assigned) == len(two.assigned) == 2
        assert not one.assigned & two.assigned

    async def test_who_leaves_hands_its_partitions_to_the_rest(self, log: Log) -> None:
        topic = await fresh(log, partitions=2)
        async with two_at_work(log, topic) as (one, two):
            one.stop()
            for number in range(10):
                await log.append(Partition(topic.name, number % 2), b"x")
            await two.wait_for(10)
        assert len({(r.partition, r.offset) for r in two.handled}) == len(two.handled) == 10
        assert len(two.assigned) == 2

    async def test_what_a_dead_member_did_not_commit_goes_to_the_next(self, log: Log) -> None:
        partition = await filled(log, 4)
        async with readers(log, partition, from_group) as member:
            assert offsets(await take(member, 4)) == [0, 1, 2, 3]
            await member.commit(partition, 2)
        async with readers(log, partition, from_group) as member:
            assert offsets(await take(member, 2)) == [2, 3]

    async def test_a_callers_position_wins_over_the_committed_one(self, log: Log) -> None:
        partition = await filled(log, 4)
        async with readers(log, partition, at(0)) as member:
            await take(member, 4)
            await member.commit(partition, 4)
        async with readers(log, partition, at(1)) as member:
            assert offsets(await take(member, 3)) == [1, 2, 3]

    async def test_a_member_commits_only_what_is_its_own(self, log: Log) -> None:
        partition = await filled(log, 1)
        async with readers(log, partition, from_group) as member:
            assert member.assigned() == frozenset()
            with pytest.raises(NotWritten):
                await member.commit(partition, 1)
            await take(member, 1)
            assert member.assigned() == {partition}

    async def test_a_group_goes_on_after_its_position_is_gone(self, log: Log) -> None:
        partition = await filled(log, 8)
        async with readers(log, partition, from_group) as member:
            await take(member, 8)
            await member.commit(partition, 2)
        await log.trim(partition, 5)
        async with readers(log, partition, from_group) as member:
            with pytest.raises(PositionGone) as gone:
                await take(member, 1)
            assert gone.value.first == 5
            await member.commit(partition, gone.value.first)
            assert offsets(await take(member, 3)) == [5, 6, 7]

    async def test_creating_twice_is_success_and_otherwise_a_mismatch(self, log: Log) -> None:
        topic = await fresh(log, partitions=3)
        await log.create_topics([topic])
        assert (await log.describe(topic.name)).partitions == 3
        for other in (named(topic.name, 4), named(topic.name, 3, Cleanup.COMPACT)):
            with pytest.raises(TopicMismatch):
                await log.create_topics([other])
        assert (await log.describe(topic.name)).partitions == 3

    async def test_a_topic_that_is_not_there_is_unknown(self, log: Log) -> None:
        topic = await fresh(log)
        for missing in (Partition(f"no-{topic.name}", 0), Partition(topic.name, 1)):
            with pytest.raises(UnknownTopic):
                await log.append(missing, b"x")
            with pytest.raises(UnknownTopic):
                await log.read(missing, 0, limit=1)
            with pytest.raises(UnknownTopic):
                await log.ends([Partition(topic.name, 0), missing])
        with pytest.raises(UnknownTopic):
            await log.describe(f"no-{topic.name}")

    async def test_close_answers_appends_and_ends_tails(self, log: Log) -> None:
        partition = await filled(log, 1)
        async with (
            asyncio.timeout(DEADLINE_S),
            log.tail({partition: 1}) as tail,
            asyncio.TaskGroup() as tasks,
        ):
            ended = tasks.create_task(outcome(take(tail, 1)))
            appends = [tasks.create_task(outcome(log.append(partition, b"x"))) for _ in range(20)]
            await asyncio.sleep(0)
            await log.close()
            assert all(task.done() for task in appends)
        assert isinstance(ended.result(), LogUnavailable)
        assert isinstance(await outcome(log.append(partition, b"x")), NotWritten)
        assert isinstance(await outcome(log.read(partition, 0, limit=1)), LogUnavailable)
