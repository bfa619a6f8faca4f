"""The reading half of the log in Kafka: readers, tails and an admin that only asks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from confluent_kafka import Consumer

from libs.log.kafka import settings
from libs.log.kafka.admin import Admin
from libs.log.kafka.desk import Desk
from libs.log.kafka.known import KnownTopics
from libs.log.kafka.puller import Puller
from libs.log.kafka.reader import READERS, Readers
from libs.log.kafka.seen import Seen, check
from libs.log.kafka.tail import KafkaTail
from libs.log.kafka.topics import SAFE, UNSAFE_SINGLE
from libs.log.port import (
    READ_RECORDS_MAX,
    Ends,
    LogUnavailable,
    Partition,
    Stored,
    Tail,
    TopicState,
)

# Calls to brokers that wait for the network, not for each other.
ASKING_THREADS = 4
# What waits longer than this for a thread is answered too late anyway: at 1 ms a call, seconds.
ASKING_WAITING_MAX = 1_000
READING_WAITING_MAX = 1_000


class KafkaReads:
    """What changes nothing. Nothing is asked before the first question. Belongs to the event loop
    that made it."""

    def __init__(self, bootstrap: str, *, single: bool) -> None:
        self._bootstrap = bootstrap
        self._admin = Admin(bootstrap, UNSAFE_SINGLE if single else SAFE)
        self._asking = Desk("kafka-asking", threads=ASKING_THREADS, waiting_max=ASKING_WAITING_MAX)
        self._reading = Desk("kafka-reading", threads=READERS, waiting_max=READING_WAITING_MAX)
        self._known = KnownTopics(self._admin, self._asking)
        self._readers = Readers(bootstrap)
        self._seen = Seen()
        self._tails: set[KafkaTail] = set()
        self._is_closed = False

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        """See the port."""
        if not 1 <= limit <= READ_RECORDS_MAX:
            raise ValueError(f"a limit of {limit} is not within 1 to {READ_RECORDS_MAX}")
        self._check_open()
        await self._known.check(partition)
        least = self._seen.least(partition)
        call = partial(self._readers.read, partition, start, limit=limit, least=least)
        records = await self._reading.do(call)
        if records:
            self._seen.note(partition, records[-1].offset + 1)
        return records

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        """See the port."""
        asked = list(partitions)
        leasts = self._seen.leasts(asked)
        found = await self._asking.do(partial(self._admin.ends, asked))
        check(found, leasts)
        for partition, ends in found.items():
            self._seen.note(partition, ends.next)
        return found

    async def offsets_at(
        self, partitions: Iterable[Partition], at_ms: int
    ) -> Mapping[Partition, int]:
        """See the port."""
        return await self._asking.do(partial(self._admin.offsets_at, list(partitions), at_ms))

    @asynccontextmanager
    async def tail(self, starts: Mapping[Partition, int]) -> AsyncIterator[Tail]:
        """See the port."""
        self._check_open()
        tail = KafkaTail(Puller(Consumer(settings.tail(self._bootstrap))), self.ends, starts)
        self._tails.add(tail)
        try:
            yield tail
        finally:
            self._tails.discard(tail)
            await tail.close()

    async def describe(self, topic: str) -> TopicState:
        """See the port. The settings are Kafka's own."""
        return await self._asking.do(partial(self._admin.describe, topic))

    async def close(self) -> None:
        """See the port."""
        if self._is_closed:
            return
        self._is_closed = True
        # The tails first: whoever waits hears of the end, not of the last appends.
        await asyncio.gather(*self._ending())
        with suppress(LogUnavailable):
            self._reading.begin(self._readers.close)
        await asyncio.gather(self._reading.close(), self._asking.close())

    def _ending(self) -> list[Awaitable[None]]:
        """What is to end before the threads do."""
        return [tail.close() for tail in self._tails]

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogUnavailable("the log is closed")
