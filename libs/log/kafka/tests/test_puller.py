"""What a consumer's thread makes of what the driver gives it, with a driver of scripted answers."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from libs.log.kafka.group import KafkaGroup
from libs.log.kafka.puller import Puller, Start
from libs.log.kafka.records import partition_of
from libs.log.kafka.tail import KafkaTail
from libs.log.port import (
    Ends,
    LogUnavailable,
    NotWritten,
    Partition,
    PositionGone,
    from_group,
)

ZERO, ONE = Partition("t", 0), Partition("t", 1)


class Said:
    """A message of the driver: a record, or an error of a partition."""

    def __init__(self, partition: Partition, offset: int, error: KafkaError | None = None) -> None:
        self._partition = partition
        self._offset = offset
        self._error = error

    def topic(self) -> str:
        return self._partition.topic

    def partition(self) -> int:
        return self._partition.index

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return (2, 1_000)

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return None

    def error(self) -> KafkaError | None:
        return self._error


OUT_OF_RANGE = KafkaError(KafkaError._AUTO_OFFSET_RESET)


class ScriptedConsumer:
    """Gives one answer of its script per poll; callables in it are the group's callbacks."""

    def __init__(self, *script: Sequence[Said] | Any) -> None:
        self.script = list(script)
        self.assigned: dict[Partition, int] = {}
        self.callbacks: dict[str, Any] = {}
        self._rest: list[Said] = []

    def poll(self, timeout: float) -> Said | None:
        if not self.script:
            raise AssertionError("polled beyond the script")
        answer = self.script.pop(0)
        if callable(answer):
            answer(self)
            return None
        first, *self._rest = answer
        return first

    def consume(self, count: int, timeout: float) -> list[Said]:
        rest, self._rest = self._rest, []
        return rest

    def subscribe(self, topics: list[str], **callbacks: Any) -> None:
        self.callbacks = callbacks

    def list_topics(self, topic: str, timeout: float) -> None: ...

    def incremental_assign(self, places: list[TopicPartition]) -> None:
        self.assigned.update({Partition(p.topic, p.partition): p.offset for p in places})

    def incremental_unassign(self, places: list[TopicPartition]) -> None:
        for place in places:
            del self.assigned[Partition(place.topic, place.partition)]

    def close(self) -> None: ...


def pulling(*script: Any) -> tuple[Puller, ScriptedConsumer]:
    driver = ScriptedConsumer(*script)
    return Puller(cast(Consumer, driver)), driver


def gives(*partitions: Partition) -> Any:
    def call(driver: ScriptedConsumer) -> None:
        driver.callbacks["on_assign"](driver, [TopicPartition(*each) for each in partitions])

    return call


def takes(*partitions: Partition) -> Any:
    def call(driver: ScriptedConsumer) -> None:
        driver.callbacks["on_revoke"](driver, [TopicPartition(*each) for each in partitions])

    return call


def test_a_position_beyond_the_end_is_waited_for() -> None:
    puller, driver = pulling([Said(ZERO, 2), Said(ZERO, 3), Said(ZERO, 4)])
    puller.start({ZERO: Start(fetched=2, wanted=3)})
    assert driver.assigned == {ZERO: 2}
    (batch,) = puller.pull().batches
    assert [record.offset for record in batch] == [3, 4]
    assert puller.positions == {ZERO: 5}


def test_records_before_a_refusal_are_given_and_the_rest_is_refused() -> None:
    answer = [Said(ZERO, 0), Said(ONE, 7), Said(ZERO, 1, OUT_OF_RANGE), Said(ZERO, 9)]
    puller, driver = pulling(answer)
    puller.start({ZERO: Start(0, 0), ONE: Start(7, 7)})
    pulled = puller.pull()
    assert [[record.offset for record in batch] for batch in pulled.batches] == [[0], [7]]
    assert pulled.refused == {ZERO: 1}
    assert (puller.positions, set(driver.assigned)) == ({ONE: 8}, {ONE})
    puller.start({ZERO: Start(9, 9), ONE: Start(0, 0)})
    assert puller.positions == {ZERO: 9, ONE: 8}


def test_what_the_group_gives_waits_for_its_start_and_what_it_takes_is_dropped() -> None:
    puller, driver = pulling(gives(ZERO, ONE), takes(ZERO), [Said(ZERO, 0), Said(ONE, 0)])
    puller.join(["t"])
    assert puller.pull() == ((), {})
    assert (puller.given, puller.owned, puller.positions) == ({ZERO, ONE}, {ZERO, ONE}, {})
    assert driver.assigned == {}
    puller.start({ZERO: Start(0, 0), ONE: Start(0, 0)})
    (batch,) = puller.pull().batches
    assert batch[0].partition == ONE
    assert (puller.given, puller.owned, set(puller.positions)) == (set(), {ONE}, {ONE})


def test_an_error_that_passes_is_passed_over_and_another_ends_the_pull() -> None:
    passing = Said(ZERO, 0, KafkaError(KafkaError._ALL_BROKERS_DOWN))
    unheard_of = Said(ZERO, 0, KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
    refused = Said(ZERO, 0, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    puller, _ = pulling([passing, unheard_of], [Said(ZERO, 0)], [refused])
    puller.start({ZERO: Start(0, 0)})
    assert len(puller.pull().batches) == 1
    with pytest.raises(LogUnavailable, match="TOPIC_AUTHORIZATION_FAILED"):
        puller.pull()
    puller.is_stopping = True
    with pytest.raises(LogUnavailable):
        puller.pull()
    assert partition_of(cast(Any, refused)) == ZERO


async def ends_of(partitions: Any) -> dict[Partition, Ends]:
    return dict.fromkeys(partitions, Ends(5, 9))


async def test_a_refused_position_of_a_tail_is_gone_when_its_end_is_asked_for() -> None:
    puller, _ = pulling([Said(ZERO, 5)], [Said(ZERO, 6, OUT_OF_RANGE)], [Said(ZERO, 6)])
    tail = KafkaTail(puller, ends_of, {ZERO: 5})
    assert [record.offset for record in await anext(tail)] == [5]
    # The broker does not have it, yet says that its first is lower: fetched again, not jumped.
    assert [record.offset for record in await anext(tail)] == [6]
    await tail.close()
    gone = KafkaTail(pulling()[0], ends_of, {ZERO: 4})
    with pytest.raises(PositionGone) as error:
        await anext(gone)
    assert error.value.first == 5
    await gone.close()


async def test_a_start_that_is_gone_does_not_keep_the_others_from_starting() -> None:
    puller, driver = pulling(gives(ZERO, ONE), [Said(ONE, 6)])
    asked: list[Sequence[Partition]] = []

    async def positions(partitions: Sequence[Partition]) -> dict[Partition, int]:
        asked.append(partitions)
        return {ZERO: 1 if len(asked) == 1 else 9, ONE: 6}

    group = KafkaGroup(puller, ends_of, topics=["t"], positions=positions)
    with pytest.raises(PositionGone) as error:
        await anext(group)
    assert error.value.partition == ZERO
    assert group.assigned() == {ONE}
    assert [record.offset for record in await anext(group)] == [6]
    assert asked == [[ZERO, ONE], [ZERO]]
    assert driver.assigned == {ZERO: 9, ONE: 6}
    await group.close()


async def test_a_member_commits_nothing_before_it_is_given_anything() -> None:
    group = KafkaGroup(pulling()[0], ends_of, topics=["t"], positions=from_group)
    with pytest.raises(NotWritten):
        await group.commit(ZERO, 1)
    await group.close()
