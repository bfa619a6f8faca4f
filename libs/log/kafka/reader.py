"""Reads anywhere: a few consumers, each lent to one read at a time and kept warm.

Measured with these settings, 100 records at a random place: 1 to 5 ms, some hundred reads a second
and process. So what is asked for often is kept in memory; this is for the rest.
"""

import time
from queue import SimpleQueue

from confluent_kafka import Consumer, KafkaError, TopicPartition

from libs.log.kafka import settings
from libs.log.kafka.errors import PASSING, of_ask
from libs.log.kafka.records import stored
from libs.log.port import LogUnavailable, Partition, PositionGone, Stored

# More do not read more: one process is at its limit.
READERS = 4
# A failover is over by then.
READ_S = 5.0


class Lane:
    """One consumer and the topics that it knows."""

    def __init__(self, bootstrap: str) -> None:
        config = settings.reader(bootstrap)
        self._consumer: Consumer = Consumer(config)
        self._warm: set[str] = set()

    def read(self, partition: Partition, start: int, *, limit: int, least: int) -> list[Stored]:
        """Blocks, at most for `READ_S`; the end is not below `least`. Raises `PositionGone`,
        `LogUnavailable`, `KafkaException`."""
        deadline = time.monotonic() + READ_S
        self._warm_up(partition.topic, deadline)
        place = TopicPartition(partition.topic, partition.index, start)
        self._consumer.assign([place])
        try:
            return self._collect(place, limit=limit, least=least, deadline=deadline)
        finally:
            self._consumer.unassign()

    def close(self) -> None:
        """No more reads."""
        self._consumer.close()

    def _warm_up(self, topic: str, deadline: float) -> None:
        # The first assignment of a topic that the consumer does not know takes a second.
        if topic not in self._warm:
            self._consumer.list_topics(topic, timeout=deadline - time.monotonic())
            self._warm.add(topic)

    def _collect(
        self, place: TopicPartition, *, limit: int, least: int, deadline: float
    ) -> list[Stored]:
        partition = Partition(place.topic, place.partition)
        taken: list[Stored] = []
        while len(taken) < limit:
            left = deadline - time.monotonic()
            first = self._consumer.poll(max(left, 0))
            if first is None:
                raise LogUnavailable(f"{partition} was not read within {READ_S:.0f} s")
            for message in (first, *self._consumer.consume(limit, 0)):
                error = message.error()
                if error is None:
                    taken.append(stored(message, partition))
                elif self._is_end(place, message.offset(), error=error, least=least):
                    return taken[:limit]
            # The end came with the last fetch: no need to wait for one that finds nothing.
            if taken and taken[-1].offset + 1 >= max(self._end(place), least):
                break
        return taken[:limit]

    def _end(self, place: TopicPartition) -> int:
        """The end as of the last fetch."""
        _first, end = self._consumer.get_watermark_offsets(place, cached=True)
        return end if end > 0 else place.offset + (1 << 62)

    def _is_end(
        self, place: TopicPartition, at: int | None, *, error: KafkaError, least: int
    ) -> bool:
        """Whether the end is told; a fault that passes tells nothing, nor does who knows less."""
        if error.code() == KafkaError._PARTITION_EOF:
            return (at or 0) >= least
        if error.code() in PASSING:
            return False
        if error.code() != KafkaError._AUTO_OFFSET_RESET:
            raise of_ask(error)
        first, end = self._consumer.get_watermark_offsets(place, READ_S)
        if place.offset < first:
            raise PositionGone(place.topic, place.partition, first)
        if place.offset > end >= least:
            return True
        # A leader that has not heard yet how far the log goes; this consumer has stopped.
        raise LogUnavailable(f"{place.topic}/{place.partition} is not read at {place.offset} now")


class Readers:
    """The lanes; `READERS` threads may read at once."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._idle: SimpleQueue[Lane | None] = SimpleQueue()
        for _ in range(READERS):
            self._idle.put(None)

    def read(self, partition: Partition, start: int, *, limit: int, least: int) -> list[Stored]:
        """See `Lane.read`."""
        lane = self._idle.get()
        try:
            lane = lane or Lane(self._bootstrap)
            return lane.read(partition, start, limit=limit, least=least)
        finally:
            self._idle.put(lane)

    def close(self) -> None:
        """When nobody reads any more."""
        for _ in range(READERS):
            if lane := self._idle.get():
                lane.close()
