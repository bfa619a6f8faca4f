"""The face of the log in Kafka: the port's methods over a writer, readers, tails and an admin."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from confluent_kafka import Consumer, KafkaError
from confluent_kafka import Producer as DriverProducer

from libs.log.kafka import settings
from libs.log.kafka.admin import CREATE_S
from libs.log.kafka.group import KafkaGroup
from libs.log.kafka.producer import Driver, Make
from libs.log.kafka.puller import Puller
from libs.log.kafka.reads import KafkaReads
from libs.log.kafka.writer import Writer
from libs.log.port import (
    READ_RECORDS_MAX,
    RECORD_BYTES_MAX,
    Appended,
    Group,
    LogUnavailable,
    NotWritten,
    OutcomeUnknown,
    Partition,
    Positions,
)
from libs.wire.topics import WARM_UP, Topic

# A cluster that was just started may take 10 s for a producer's first record; a try takes 5 s.
WARM_UP_TRIES = 4


class KafkaLog(KafkaReads):
    """`Log` in Kafka. Made by `open_kafka`; belongs to the event loop that opened it."""

    def __init__(self, bootstrap: str, *, single: bool, make: Make | None = None) -> None:
        super().__init__(bootstrap, single=single)
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

    def _ending(self) -> list[Awaitable[None]]:
        return [*super()._ending(), self.writer.close()]

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
