"""A consumer in its thread: polls until it has records, drops what is not wanted.

Every method is for the one thread that owns the consumer.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from libs.log.kafka import errors
from libs.log.kafka.records import partition_of, stored
from libs.log.port import LogUnavailable, Partition, Stored

# An answer: enough to share the hop between threads, small enough to be handled in one go.
RECORDS_MAX = 500
# How late the thread sees that it is to stop; records wake it at once.
SLICE_S = 0.1
# A topic's metadata; without them the first fetch comes a second late.
WARM_S = 5.0

Batch = Sequence[Stored]


class Start(NamedTuple):
    """Fetch from `fetched`, hand out from `wanted` on: a position beyond the end is waited for."""

    fetched: int
    wanted: int


class Pulled(NamedTuple):
    """Batches of one partition each, and positions that the broker does not have any more."""

    batches: Sequence[Batch]
    refused: Mapping[Partition, int]


class Puller:
    """`positions` are those of the followed partitions, each of the next record. `given` are
    partitions that a group gave and that do not have their start yet; `owned` all that it gave."""

    def __init__(self, driver: Consumer) -> None:
        self.positions: dict[Partition, int] = {}
        self.given: set[Partition] = set()
        self.owned: set[Partition] = set()
        self.is_stopping = False
        self.driver = driver
        self._warm: set[str] = set()

    def join(self, topics: Sequence[str]) -> None:
        """Share these with the members of the group."""
        self._warm_up(topics)
        self.driver.subscribe(
            list(topics),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    def start(self, starts: Mapping[Partition, Start]) -> None:
        """Follow these as well; what is followed already goes on as it is."""
        new = {each: start for each, start in starts.items() if each not in self.positions}
        self._warm_up({each.topic for each in new})
        self.positions.update({each: start.wanted for each, start in new.items()})
        self.given -= new.keys()
        self.driver.incremental_assign(
            [TopicPartition(*each, start.fetched) for each, start in new.items()]
        )

    def pull(self) -> Pulled:
        """What comes next; also returns when the group gave something. Raises `LogUnavailable` when
        it is to stop."""
        while not self.is_stopping:
            first = self.driver.poll(SLICE_S)
            if first is not None:
                pulled = self._sorted((first, *self.driver.consume(RECORDS_MAX - 1, 0)))
                if pulled.batches or pulled.refused:
                    return pulled
            if self.given:
                return Pulled((), {})
        raise LogUnavailable("the log is closed")

    def close(self) -> None:
        """Leave the group, end the consumer."""
        self.driver.close()

    def _sorted(self, messages: Iterable["Message[bytes, bytes]"]) -> Pulled:
        batches: dict[Partition, list[Stored]] = {}
        refused: dict[Partition, int] = {}
        for message in messages:
            error = message.error()
            if error is not None:
                refused.update(self._refused(message, error))
                continue
            partition = partition_of(message)
            record = stored(message, partition)
            # What was taken away meanwhile is somebody else's now.
            if record.offset >= self.positions.get(partition, record.offset + 1):
                batches.setdefault(partition, []).append(record)
                # At once: a refusal may follow in the same answer, and ends the partition here.
                self.positions[partition] = record.offset + 1
        return Pulled(list(batches.values()), refused)

    def _refused(
        self, message: "Message[bytes, bytes]", error: KafkaError
    ) -> Mapping[Partition, int]:
        if error.code() in errors.PASSING:
            return {}
        if error.code() != KafkaError._AUTO_OFFSET_RESET:
            raise errors.of_ask(error)
        partition = partition_of(message)
        position = self.positions.pop(partition, None)
        if position is None:
            return {}
        self.driver.incremental_unassign([TopicPartition(*partition)])
        return {partition: position}

    def _warm_up(self, topics: Iterable[str]) -> None:
        for topic in set(topics) - self._warm:
            self.driver.list_topics(topic, timeout=WARM_S)
            self._warm.add(topic)

    def _on_assign(self, driver: Consumer, given: list[TopicPartition]) -> None:
        partitions = {Partition(each.topic, each.partition) for each in given}
        self.owned |= partitions
        self.given |= partitions
        # Nothing is fetched before its start is known; said, or the driver starts by itself.
        driver.incremental_assign([])

    def _on_revoke(self, driver: Consumer, taken: list[TopicPartition]) -> None:
        partitions = {Partition(each.topic, each.partition) for each in taken}
        started = partitions & self.positions.keys()
        self.owned -= partitions
        self.given -= partitions
        for each in started:
            del self.positions[each]
        driver.incremental_unassign([TopicPartition(*each) for each in started])
