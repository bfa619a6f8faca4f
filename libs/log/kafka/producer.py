"""One producer and its poll thread.

The thread serves the delivery reports and survives whatever `poll` raises: once, after a stall of
20 s, it raised a `SystemError`, and went on well when it was called again. `flush` is never called:
beside a poll thread that is where the error was seen.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from confluent_kafka import KafkaError

from libs.log.kafka.settings import LOGGER
from libs.log.port import Partition

# How long the thread sleeps in the driver; reports wake it. It sees this late that it is to end.
POLL_S = 0.1
# A poll that raises at once, again and again, must not take a core.
POLL_AGAIN_S = 0.01


class Delivered(Protocol):
    """The driver's message in a delivery report, as far as it is used."""

    def offset(self) -> int | None:
        """The record's; negative when the broker only said that it had it already."""

    def timestamp(self) -> tuple[int, int]:
        """Its kind, and UTC milliseconds."""


class Driver(Protocol):
    """The driver's producer, as far as it is used."""

    def produce(
        self, topic: str, value: bytes | None, key: bytes, *, partition: int, on_delivery: Any
    ) -> None: ...

    def poll(self, timeout: float) -> int: ...

    def __len__(self) -> int: ...


class Report(NamedTuple):
    """What became of a record: an error, or its offset and time."""

    error: KafkaError | None
    offset: int
    at_ms: int


Reported = Callable[[Report], None]
Make = Callable[[Callable[[KafkaError], None]], Driver]


class Producer:
    """`make` gives the driver's producer, told where to report fatal errors; `broken` is called in
    the poll thread when there was one, and then this producer writes nothing any more."""

    def __init__(self, make: Make, broken: Callable[["Producer"], None]) -> None:
        self.poll_faults = 0
        self._broken = broken
        self._ends_at: float | None = None
        self._driver = make(self._errored)
        self._thread = threading.Thread(target=self._serve, name="kafka-reports", daemon=True)
        self._thread.start()

    def produce(
        self, partition: Partition, value: bytes, *, key: bytes, reported: Reported
    ) -> None:
        """Queue a record; `reported` is called in the poll thread. Raises `BufferError` when the
        queue is full, `KafkaException` when the driver refuses it."""

        def on_delivery(error: KafkaError | None, message: Delivered) -> None:
            offset = message.offset()
            reported(Report(error, -1 if offset is None else offset, message.timestamp()[1]))
            if error is not None and error.fatal():
                self._broken(self)

        # A record without a value is a tombstone, and Kafka's tombstone has no value at all.
        self._driver.produce(
            partition.topic,
            value or None,
            key,
            partition=partition.index,
            on_delivery=on_delivery,
        )

    def end(self, within_s: float) -> None:
        """The thread ends when all is reported, at the latest after `within_s`; it need not be
        waited for."""
        self._ends_at = time.monotonic() + within_s

    def join(self, within_s: float) -> bool:
        """Whether the thread has ended, after at most so long."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def is_alive(self) -> bool:
        """Whether reports are served."""
        return self._thread.is_alive()

    def _errored(self, error: KafkaError) -> None:
        if error.fatal():
            self._broken(self)

    def _serve(self) -> None:
        while not self._is_over():
            try:
                self._driver.poll(POLL_S)
            except Exception:
                self.poll_faults += 1
                # The first, and then ever fewer of them: they may come a hundred times a second.
                if self.poll_faults.bit_count() == 1:
                    LOGGER.exception("poll raised for the %d. time; it goes on", self.poll_faults)
                time.sleep(POLL_AGAIN_S)

    def _is_over(self) -> bool:
        if self._ends_at is None:
            return False
        return len(self._driver) == 0 or time.monotonic() >= self._ends_at
