"""Appends: each has an answer, and an answer is a success only with an offset."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaException

from libs.log.kafka.errors import error_of, of_append
from libs.log.kafka.handover import HandOver
from libs.log.kafka.producer import Make, Producer, Report
from libs.log.kafka.settings import LOGGER
from libs.log.port import Appended, LogError, NotWritten, OutcomeUnknown, Partition

# An append that is not reported by then is unknown to its caller; the driver goes on with it. Under
# a caller's patience (a request waits 10 s), over a failover (2 to 4 s).
REPORT_S = 5.0

ReadBack = Callable[[Partition, bytes, bytes], Awaitable[Appended | None]]


class _Answered(NamedTuple):
    answer: "asyncio.Future[Report]"
    report: Report


class Writer:
    """Belongs to the running loop. `read_back` finds a record of which the broker only said that it
    has it. `replaced` counts producers that had a fatal error; what they had under way is unknown
    and stays so."""

    def __init__(self, make: Make, read_back: ReadBack) -> None:
        self.replaced = 0
        self._make = make
        self._read_back = read_back
        self._loop = asyncio.get_running_loop()
        self._reports = HandOver[_Answered](self._loop, _answer)
        self._breaks = HandOver[Producer](self._loop, self._replace)
        self._producer = Producer(make, self._breaks.put)
        self._retired: list[Producer] = []
        self._is_closed = False
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def poll_faults(self) -> int:
        """How often a poll raised and was called again."""
        return sum(each.poll_faults for each in (self._producer, *self._retired))

    def is_serving(self) -> bool:
        """Whether delivery reports are served."""
        return self._producer.is_alive()

    async def append(self, partition: Partition, value: bytes, key: bytes) -> Appended:
        """Raises `NotWritten`, `OutcomeUnknown`, `UnknownTopic`."""
        if self._is_closed:
            raise NotWritten("the log is closed")
        answer: asyncio.Future[Report] = self._loop.create_future()
        self._queue(partition, value, key=key, answer=answer)
        self._under_way += 1
        self._idle.clear()
        try:
            return await self._settled(partition, value, key=key, answer=answer)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def close(self) -> None:
        """No more appends; those under way have an answer when it returns."""
        self._is_closed = True
        await self._idle.wait()
        ending = [self._producer, *self._retired]
        for producer in ending:
            producer.end(REPORT_S)
        for producer in ending:
            await self._loop.run_in_executor(None, producer.join, REPORT_S + 1.0)

    def _queue(
        self, partition: Partition, value: bytes, *, key: bytes, answer: "asyncio.Future[Report]"
    ) -> None:
        def reported(report: Report) -> None:
            self._reports.put(_Answered(answer, report))

        try:
            self._producer.produce(partition, value, key=key, reported=reported)
        except BufferError as error:
            raise NotWritten("the producer's queue is full") from error
        except KafkaException as raised:
            # The driver refuses before it takes the record, so nothing is unknown about it.
            error_there = of_append(error_of(raised))
            if isinstance(error_there, OutcomeUnknown):
                error_there = NotWritten(str(error_there))
            raise error_there from raised

    async def _settled(
        self, partition: Partition, value: bytes, *, key: bytes, answer: "asyncio.Future[Report]"
    ) -> Appended:
        try:
            async with asyncio.timeout(REPORT_S):
                report = await answer
        except TimeoutError as error:
            raise OutcomeUnknown("no delivery report came") from error
        if report.error is not None:
            raise of_append(report.error)
        if report.offset >= 0:
            return Appended(report.offset, report.at_ms)
        return await self._found(partition, value, key)

    async def _found(self, partition: Partition, value: bytes, key: bytes) -> Appended:
        """The broker had the record already, from an attempt whose answer was lost, and does not
        say where."""
        try:
            async with asyncio.timeout(REPORT_S):
                found = await self._read_back(partition, value, key)
        except (LogError, TimeoutError) as error:
            raise OutcomeUnknown("written, but where could not be read") from error
        if found is None:
            raise OutcomeUnknown("written, but where is not clear")
        return found

    def _replace(self, broken: Sequence[Producer]) -> None:
        if self._producer not in broken or self._is_closed:
            return
        self.replaced += 1
        LOGGER.error("a fatal error ended the producer; a new one takes over")
        old, self._producer = self._producer, Producer(self._make, self._breaks.put)
        old.end(REPORT_S)
        self._retired = [*(each for each in self._retired if each.is_alive()), old]


def _answer(answered: Sequence[_Answered]) -> None:
    for answer, report in answered:
        if not answer.done():
            answer.set_result(report)
