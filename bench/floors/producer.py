"""The floor under posts: a bare producer of the Kafka driver, with as many records in flight."""

import logging
import time

from confluent_kafka import KafkaError, Message, Producer

# The driver does not say that it hands this on, but it documents it here.
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from bench.callers import Called
from bench.failure import Failure
from bench.messages import TEXT, client_id

# What has to be true of our own producer too: in order, no doubles, acknowledged by all replicas.
LOGGER = logging.getLogger("bench.producer")
SETTINGS = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 0,
    "socket.nagle.disable": True,
}
# As large as the record of a post.
VALUE = f"{client_id(0)}{TEXT}".encode() + bytes(100)
POLL_S = 0.1
TOPIC_S = 60.0
LAST_S = 30.0
PARTS = (50.0, 99.0)


class NotDelivered(Failure):
    """The broker did not take a record."""


def make_topic(bootstrap: str, name: str, partitions: int) -> None:
    """Make a topic with one copy, and return when it is there. Raises `KafkaException`."""
    # It is named: one that is collected takes its questions with it.
    admin = AdminClient({"bootstrap.servers": bootstrap})
    new = NewTopic(name, num_partitions=partitions, replication_factor=1)
    admin.create_topics([new], operation_timeout=TOPIC_S)[name].result(TOPIC_S)


class BareProducer:
    """Produces records to the partitions of a topic, in turns."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "logger": LOGGER, **SETTINGS})
        self._topic = topic
        self._partitions = partitions

    def produce(self, in_flight: int, seconds: float) -> Called:
        """Keep so many on their way for so long, and wait for the last. Raises `NotDelivered`."""
        self._begin(seconds)
        for _ in range(in_flight):
            self._one(again=True)
        return self._judged()

    def produce_at(self, per_s: float, seconds: float) -> Called:
        """Produce so many a second for so long, and wait for the last. Raises `NotDelivered`."""
        self._begin(seconds)
        for number in range(int(per_s * seconds)):
            while (due_in_s := self._began_s + number / per_s - time.monotonic()) > 0:
                self._producer.poll(due_in_s)
            self._one(again=False)
        return self._judged()

    def _begin(self, seconds: float) -> None:
        self._began_s = time.monotonic()
        self._until_s, self._out, self._next = self._began_s + seconds, 0, 0
        self._took_ms: list[float] = []
        self._faults: list[KafkaError] = []

    def _judged(self) -> Called:
        while self._out and time.monotonic() < self._until_s + LAST_S:
            self._producer.poll(POLL_S)
        if self._faults or self._out:
            raise NotDelivered(f"{self._out} records are not delivered: {self._faults[:1]}")
        took_ms = sorted(self._took_ms)
        parts = {part: took_ms[int(part / 100 * len(took_ms))] for part in PARTS}
        return Called(len(took_ms), self._last_s - self._began_s, parts)

    def _one(self, *, again: bool) -> None:
        """Produce a record; with `again` another one when it is delivered, until time is over."""
        sent_s = time.monotonic()

        def delivered(error: KafkaError | None, _: Message) -> None:
            self._out -= 1
            self._last_s = time.monotonic()
            self._took_ms.append((self._last_s - sent_s) * 1_000)
            if error is not None:
                self._faults.append(error)
            elif again and self._last_s < self._until_s:
                self._one(again=True)

        self._producer.produce(
            self._topic, VALUE, partition=self._next % self._partitions, on_delivery=delivered
        )
        self._next += 1
        self._out += 1
