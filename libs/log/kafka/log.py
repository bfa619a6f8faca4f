"""The face of the log in Kafka: the port's methods over a writer, readers, tails and an admin."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from confluent_kafka import Consumer, KafkaError
from confluent_kafka import Producer as DriverProducer

from libs.log.kafka import settings
from libs.log.kafka.admin import CREATE_S, Admin
from libs.log.kafka.desk import Desk
from libs.log.kafka.group import KafkaGroup
from libs.log.kafka.known import KnownTopics
from libs.log.kafka.producer import Driver, Make
from libs.log.kafka.puller import Puller
from libs.log.kafka.reader import READERS, Readers
from libs.log.kafka.seen import Seen, check
from libs.log.kafka.tail import KafkaTail
from libs.log.kafka.topics import SAFE, UNSAFE_SINGLE
from libs.log.kafka.writer import Writer
from libs.log.port import (
    READ_RECORDS_MAX,
    RECORD_BYTES_MAX,
    Appended,
    Ends,
    Group,
    LogUnavailable,
    NotWritten,
    OutcomeUnknown,
    Partition,
    Positions,
    Stored,
    Tail,
    TopicState,
)
from libs.wire.topics import WARM_UP, Topic

# Calls to brokers that wait for the network, not for each other.
ASKING_THREADS = 4
# What waits longer than this for a thread is answered too late anyway: at 1 ms a call, seconds.
ASKING_WAITING_MAX = 1_000
READING_WAITING_MAX = 1_000


# A cluster that was just started may take 10 s for a producer's first record; a try takes 5 s.
WARM_UP_TRIES = 4


class KafkaLog:
    """`Log` in Kafka. Made by `open_kafka`; belongs to the event loop that opened it."""

    def __init__(self, bootstrap: str, *, single: bool, make: Make | None = None) -> None:
        self._bootstrap = bootstrap
        self._admin = Admin(bootstrap, UNSAFE_SINGLE if single else SAFE)
        self._asking = Desk("kafka-asking", threads=ASKING_THREADS, waiting_max=ASKING_WAITING_MAX)
        self._reading = Desk("kafka-reading", threads=READERS, waiting_max=READING_WAITING_MAX)
        self._known = KnownTopics(self._admin, self._asking)
        self._readers = Readers(bootstrap)
        self._seen = Seen()
        self._tails: set[KafkaTail] = set()
        self._is_closed = False
        self.writer = Writer(make or partial(_driver, bootstrap), self._read_back)

    async def start(self) -> None:
        """Warm the producer up: its first record takes up to a second. Raises what it meets."""
        await self.create_topics([WARM_UP])
        places = [Partition(WARM_UP.name, index) for index in range(WARM_UP.partitions)]
        await asyncio.gather(*map(self._warm_up, places))

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        """See the port."""
        size = len(key) + len(value)
        if size > RECORD_BYTES_MAX:
            raise ValueError(f"a record of {size} bytes is over {RECORD_BYTES_MAX}")
        try:
            await self._known.check(partition)
        except LogUnavailable as error:
            raise NotWritten(str(error)) from error
        appended = await self.writer.append(partition, value, key)
        self._seen.note(partition, appended.offset + 1)
        return appended

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

    @asynccontextmanager
    async def group(
        self, name: str, topics: Sequence[Topic], positions: Positions
    ) -> AsyncIterator[Group]:
        """See the port."""
        self._check_open()
        member = KafkaGroup(
            Puller(Consumer(settings.member(self._bootstrap, name))),
            self.ends,
            topics=[topic.name for topic in topics],
            positions=positions,
        )
        self._tails.add(member)
        try:
            yield member
        finally:
            self._tails.discard(member)
            await member.close()

    async def trim(self, partition: Partition, first: int) -> None:
        """See the port."""
        await self._asking.do(partial(self._admin.trim, partition, first))

    async def create_topics(self, topics: Iterable[Topic]) -> None:
        """See the port. A topic that exists is refused when a setting breaks the log's promises;
        the error names it."""
        wanted = list(topics)
        await self._asking.do(partial(self._admin.create, wanted), within_s=CREATE_S)
        self._known.learn(wanted)

    async def describe(self, topic: str) -> TopicState:
        """See the port. The settings are Kafka's own."""
        return await self._asking.do(partial(self._admin.describe, topic))

    async def close(self) -> None:
        """See the port."""
        if self._is_closed:
            return
        self._is_closed = True
        # The tails first: whoever waits hears of the end, not of the last appends.
        await asyncio.gather(*(tail.close() for tail in self._tails), self.writer.close())
        with suppress(LogUnavailable):
            self._reading.begin(self._readers.close)
        await asyncio.gather(self._reading.close(), self._asking.close())

    async def _read_back(self, partition: Partition, value: bytes, key: bytes) -> Appended | None:
        """Where a record is that was written a moment ago; none when that is not clear."""
        ends = (await self.ends([partition]))[partition]
        start = max(ends.first, ends.next - READ_RECORDS_MAX)
        records = await self.read(partition, start, limit=READ_RECORDS_MAX)
        found = [record for record in records if (record.key, record.value) == (key, value)]
        return Appended(found[0].offset, found[0].at_ms) if len(found) == 1 else None

    async def _warm_up(self, place: Partition) -> None:
        for _ in range(WARM_UP_TRIES):
            with suppress(OutcomeUnknown):
                await self.append(place, b"warm")
                return
        raise LogUnavailable(f"the brokers acknowledge nothing on {place.topic}")

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogUnavailable("the log is closed")


def _driver(bootstrap: str, errored: Callable[[KafkaError], None]) -> Driver:
    return DriverProducer({**settings.producer(bootstrap), "error_cb": errored})


async def open_kafka(bootstrap: str, *, single: bool = False) -> KafkaLog:
    """Open the log behind `host:port[,host:port]`; returns when it writes at full speed.

    `single` allows one broker and one copy of each record, which its disk takes along when it dies.
    Raises `LogUnavailable`, `TopicMismatch`."""
    log = KafkaLog(bootstrap, single=single)
    try:
        await log.start()
    except BaseException:
        await log.close()
        raise
    return log
