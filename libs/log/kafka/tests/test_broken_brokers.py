"""Brokers that stand still and die: what was acknowledged is there, and it goes on by itself."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from deploy.kafka.child import LOOPBACK
from deploy.kafka.cluster import Cluster
from deploy.kafka.node import Node
from libs.log.contract import fresh, named, outcome, take
from libs.log.kafka import KafkaLog, open_kafka, settings
from libs.log.kafka.tests.broker import brokers
from libs.log.port import (
    READ_RECORDS_MAX,
    Appended,
    LogError,
    LogUnavailable,
    NotWritten,
    OutcomeUnknown,
    Partition,
    Stored,
    Tail,
    from_group,
)
from libs.testing.eventually import eventually

PAUSE_S = 8.0
ON_AGAIN_S = 30.0
QUEUE_MAX = 20
# Each of a log's clients comes again after 20 ms, then after up to 500: some forty times in the 8 s
# of a question. Without the delay it is over a thousand.
KNOCKS_MAX = 200
# The report of an append that is under way, and then the threads.
CLOSED_S = 14.0


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Cluster]:
    with brokers(tmp_path / "nodes") as cluster:
        yield cluster


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Cluster]:
    with brokers(tmp_path / "nodes", [LOOPBACK] * 3) as cluster:
        yield cluster


@asynccontextmanager
async def opened(cluster: Cluster) -> AsyncIterator[tuple[KafkaLog, Partition]]:
    log = await open_kafka(cluster.bootstrap, single=len(cluster.nodes) == 1)
    try:
        yield log, Partition((await fresh(log)).name, 0)
    finally:
        await log.close()


def leader_of(cluster: Cluster, partition: Partition) -> Node:
    topics = AdminClient({"bootstrap.servers": cluster.bootstrap}).list_topics(partition.topic)
    return cluster.nodes[topics.topics[partition.topic].partitions[0].leader - 1]


async def reached(tail: Tail, offset: int) -> None:
    """Return when the tail has given this offset."""
    async with asyncio.timeout(ON_AGAIN_S):
        async for batch in tail:
            if batch[-1].offset >= offset:
                return


@contextmanager
def refusing(host: str, port: int) -> Iterator[Sequence[str]]:
    """A broker's place where each connection ends at once; gives who knocked. With a thread of its
    own, so that no loop ends with a connection that it has taken and not begun."""
    knocks: list[str] = []

    def refuse() -> None:
        # Ends when the listener is shut.
        with suppress(OSError):
            while True:
                link, who = listener.accept()
                link.close()
                knocks.append(str(who))

    with socket.create_server((host, port)) as listener:
        refuser = threading.Thread(target=refuse)
        refuser.start()
        try:
            yield knocks
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            refuser.join()


class Ledger:
    """Appends numbers and keeps what was said about each."""

    def __init__(self, log: KafkaLog, partition: Partition) -> None:
        self.acknowledged: dict[int, bytes] = {}
        self.errors: list[LogError] = []
        self.gap_s = 0.0
        self._log = log
        self._partition = partition
        self._number = 0
        self._acknowledged_at = asyncio.get_running_loop().time()

    async def append(self) -> Appended | None:
        self._number += 1
        value = b"%d" % self._number
        try:
            appended = await self._log.append(self._partition, value)
        except LogError as error:
            self.errors.append(error)
            return None
        assert appended.offset not in self.acknowledged
        self.acknowledged[appended.offset] = value
        now = asyncio.get_running_loop().time()
        self.gap_s = max(self.gap_s, now - self._acknowledged_at)
        self._acknowledged_at = now
        return appended

    def last_since(self, since: float) -> int | None:
        """The highest offset, if it was acknowledged after `since`."""
        return max(self.acknowledged) if self._acknowledged_at > since else None

    async def keep_appending(self) -> None:
        while True:
            await self.append()

    async def check(self) -> None:
        """Everything acknowledged is where it was said to be, and the offsets are dense. A leader
        that has not heard of all may be found out, but never believed."""
        stored: list[Stored] = []
        async with asyncio.timeout(ON_AGAIN_S):
            while page := await self._page(len(stored)):
                stored.extend(page)
        assert [record.offset for record in stored] == list(range(len(stored)))
        found = {record.offset: record.value for record in stored}
        assert self.acknowledged.items() <= found.items()

    async def _page(self, start: int) -> Sequence[Stored]:
        while True:
            with suppress(LogUnavailable):
                return await self._log.read(self._partition, start, limit=READ_RECORDS_MAX)


@pytest.mark.long
async def test_a_broker_that_stands_still_makes_unknowns_and_then_goes_on(one: Cluster) -> None:
    async with opened(one) as (log, partition):
        ledger = Ledger(log, partition)
        loop = asyncio.get_running_loop()
        await ledger.append()
        one.nodes[0].pause()
        began = loop.time()
        await asyncio.gather(*(ledger.append() for _ in range(10)))
        took = loop.time() - began
        assert [type(error) for error in ledger.errors] == [OutcomeUnknown] * 10
        assert 4.5 <= took <= 7.0
        await eventually(
            lambda: loop.time() - began >= PAUSE_S, within_s=PAUSE_S, what="a long pause"
        )
        one.nodes[0].resume()
        await eventually(ledger.append, within_s=ON_AGAIN_S, what="the broker takes records again")
        for _ in range(20):
            await ledger.append()
        assert log.writer.is_serving()
        assert len(ledger.acknowledged) >= 20
        await ledger.check()


@pytest.mark.long
async def test_a_broker_that_is_killed_and_started_again_has_all_it_acknowledged(
    one: Cluster,
) -> None:
    async with opened(one) as (log, partition), asyncio.TaskGroup() as tasks:
        ledger = Ledger(log, partition)
        working = tasks.create_task(ledger.keep_appending())
        await eventually(lambda: len(ledger.acknowledged) > 100, within_s=10, what="appends")
        one.nodes[0].kill()
        await eventually(lambda: ledger.errors, within_s=15, what="an append that failed")
        assert isinstance(ledger.errors[0], OutcomeUnknown)
        one.nodes[0].start()
        before = len(ledger.acknowledged)
        await eventually(
            lambda: len(ledger.acknowledged) > before + 100, within_s=ON_AGAIN_S, what="more"
        )
        working.cancel()
        await asyncio.wait([working])
        await ledger.check()


async def test_of_three_the_leader_is_killed_and_nothing_acknowledged_is_lost(
    three: Cluster,
) -> None:
    async with opened(three) as (log, partition), asyncio.TaskGroup() as tasks:
        ledger = Ledger(log, partition)
        working = tasks.create_task(ledger.keep_appending())
        await eventually(lambda: len(ledger.acknowledged) > 50, within_s=20, what="appends")
        leader_of(three, partition).kill()
        before = len(ledger.acknowledged)
        await eventually(
            lambda: len(ledger.acknowledged) > before + 50, within_s=ON_AGAIN_S, what="a new leader"
        )
        working.cancel()
        await asyncio.wait([working])
        assert 0.5 < ledger.gap_s < 6.0
        assert not [error for error in ledger.errors if not isinstance(error, OutcomeUnknown)]
        await ledger.check()


@pytest.mark.long
async def test_of_three_the_leader_stands_still_and_everybody_goes_to_the_new_one(
    three: Cluster,
) -> None:
    """Its connections stay open, so only a bound in time tells: tails, pages and questions for
    ends go on while it still stands."""
    async with opened(three) as (log, partition), asyncio.TaskGroup() as tasks:
        loop = asyncio.get_running_loop()
        ledger = Ledger(log, partition)
        working = tasks.create_task(ledger.keep_appending())
        await eventually(lambda: len(ledger.acknowledged) > 50, within_s=20, what="appends")
        async with log.tail({partition: 0}) as tail:
            await reached(tail, 0)
            leader = leader_of(three, partition)
            paused = loop.time()
            leader.pause()
            # What is under way ends as unknown, or the new leader takes it; this one is the new
            # leader's.
            after = await eventually(
                lambda: ledger.last_since(paused + 4.0), within_s=ON_AGAIN_S, what="a new leader"
            )
            assert after is not None
            await reached(tail, after)
            ends = (await log.ends([partition]))[partition]
            assert ends.next > after
            assert len(await log.read(partition, after, limit=1)) == 1
        working.cancel()
        await asyncio.wait([working])
        leader.resume()
        await ledger.check()


async def test_a_full_queue_refuses_at_once_and_certainly(
    one: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "QUEUE_MESSAGES_MAX", QUEUE_MAX)
    async with opened(one) as (log, partition):
        ledger = Ledger(log, partition)
        one.nodes[0].pause()
        await asyncio.gather(*(ledger.append() for _ in range(3 * QUEUE_MAX)))
        one.nodes[0].resume()
        refused = [error for error in ledger.errors if isinstance(error, NotWritten)]
        assert {str(error) for error in refused} == {"the producer's queue is full"}
        assert len(refused) == 2 * QUEUE_MAX
        await eventually(ledger.append, within_s=ON_AGAIN_S, what="there is room again")
        await ledger.check()


@pytest.mark.long
async def test_a_log_is_closed_in_bounded_time_whatever_the_broker_does(one: Cluster) -> None:
    async with opened(one) as (log, partition), asyncio.TaskGroup() as tasks:
        await log.append(partition, b"x")
        async with log.group("g", [named(partition.topic)], from_group) as member:
            await take(member, 1)
            one.nodes[0].pause()
            calls = (
                member.commit(partition, 1),
                take(member, 1),
                log.append(partition, b"y"),
                log.ends([partition]),
                log.read(partition, 0, limit=1),
            )
            waiting = [tasks.create_task(outcome(call)) for call in calls]
            await asyncio.sleep(0)
            async with asyncio.timeout(CLOSED_S):
                await log.close()
        async with asyncio.timeout(CLOSED_S):
            await asyncio.wait(waiting)
        one.nodes[0].resume()
    assert [type(task.result()) for task in waiting] == [
        *(LogUnavailable, LogUnavailable, OutcomeUnknown, LogUnavailable, LogUnavailable)
    ]


async def test_who_waits_for_a_dead_broker_knocks_no_faster_than_its_backoff(one: Cluster) -> None:
    """On a machine that it shares with the brokers, a client that knocks all the time keeps those
    that are left from electing."""
    (node,) = one.nodes
    async with opened(one) as (log, partition):
        await log.ends([partition])
        node.kill()
        with refusing(node.place.home.host, node.place.port) as knocks:
            with pytest.raises(LogUnavailable):
                await log.ends([partition])
            assert 0 < len(knocks) < KNOCKS_MAX
