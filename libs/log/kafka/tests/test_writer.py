"""What the writer makes of the driver's reports, with a driver that reports as it is told."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from libs.log.kafka import writer as writer_module
from libs.log.kafka.errors import of_append, of_ask
from libs.log.kafka.handover import HandOver
from libs.log.kafka.producer import Driver
from libs.log.kafka.writer import Writer
from libs.log.port import (
    Appended,
    LogError,
    LogUnavailable,
    NotWritten,
    OutcomeUnknown,
    Partition,
    UnknownTopic,
)
from libs.testing.eventually import eventually

PARTITION = Partition("t", 0)
FOUND = Appended(41, 1_000)


class Delivery:
    """A delivery report."""

    def __init__(self, offset: int | None) -> None:
        self._offset = offset

    def offset(self) -> int | None:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return (2, 1_000)


class ScriptedDriver:
    """Reports what was produced with the answers of its script, in `poll`; without an answer it
    keeps silent. An exception in the script is raised by `poll`, one in `refusals` by `produce`."""

    def __init__(self, errored: Callable[[KafkaError], None]) -> None:
        self.errored = errored
        self.script: list[KafkaError | int | Exception | None] = []
        self.refusals: list[Exception] = []
        self.produced: list[Any] = []
        self._wake = threading.Event()

    def produce(
        self, topic: str, value: bytes | None, key: bytes, *, partition: int, on_delivery: Any
    ) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.produced.append(on_delivery)
        self._wake.set()

    def poll(self, timeout: float) -> int:
        self._wake.wait(timeout)
        self._wake.clear()
        while self.script and (self.produced or isinstance(self.script[0], Exception)):
            answer = self.script.pop(0)
            if isinstance(answer, Exception):
                self._wake.set()
                raise answer
            report = self.produced.pop(0)
            if isinstance(answer, KafkaError):
                report(answer, Delivery(None))
            else:
                report(None, Delivery(answer))
        return 0

    def __len__(self) -> int:
        return 0


class Rig:
    """A writer, the drivers that it made, and what reading back gives."""

    def __init__(self) -> None:
        self.drivers: list[ScriptedDriver] = []
        self.found: Appended | LogError | None = FOUND
        self.writer = Writer(self._make, self._read_back)

    def says(self, *script: KafkaError | int | Exception | None) -> None:
        self.drivers[-1].script.extend(script)

    async def append(self) -> object:
        try:
            return await self.writer.append(PARTITION, b"value", b"key")
        except LogError as error:
            return error

    def _make(self, errored: Callable[[KafkaError], None]) -> Driver:
        self.drivers.append(ScriptedDriver(errored))
        return self.drivers[-1]

    async def _read_back(self, partition: Partition, value: bytes, key: bytes) -> Appended | None:
        assert (partition, value, key) == (PARTITION, b"value", b"key")
        if isinstance(self.found, LogError):
            raise self.found
        return self.found


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.writer.close()
    assert isinstance(await rig.append(), NotWritten)


async def test_a_report_with_an_offset_is_a_success(rig: Rig) -> None:
    rig.says(7, 0)
    assert await rig.append() == Appended(7, 1_000)
    assert await rig.append() == Appended(0, 1_000)


@pytest.mark.parametrize("offset", [-1, -1001, None])
async def test_a_report_without_an_offset_is_read_back(rig: Rig, offset: int | None) -> None:
    rig.says(offset, offset, offset)
    assert await rig.append() == FOUND
    rig.found = None
    assert isinstance(await rig.append(), OutcomeUnknown)
    rig.found = LogUnavailable("away")
    assert isinstance(await rig.append(), OutcomeUnknown)


async def test_a_full_queue_and_a_refusal_are_not_written(rig: Rig) -> None:
    refusal = KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
    local = KafkaException(KafkaError(KafkaError._STATE))
    rig.drivers[0].refusals = [BufferError("Local: Queue full"), refusal, local]
    for _ in range(3):
        assert isinstance(await rig.append(), NotWritten)


async def test_polling_goes_on_whatever_poll_raises(rig: Rig) -> None:
    rig.says(SystemError("not a BaseException subclass"), SystemError("again"), 3)
    assert await rig.append() == Appended(3, 1_000)
    assert rig.writer.poll_faults == 2
    assert rig.writer.is_serving()


async def test_a_report_that_never_comes_is_unknown(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "REPORT_S", 0.05)
    assert isinstance(await rig.append(), OutcomeUnknown)


async def test_a_fatal_error_is_unknown_and_the_next_producer_writes(rig: Rig) -> None:
    rig.says(KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True))
    assert isinstance(await rig.append(), OutcomeUnknown)
    await eventually(lambda: len(rig.drivers) == 2, within_s=5, what="a new producer")
    rig.says(5)
    assert await rig.append() == Appended(5, 1_000)
    rig.drivers[1].errored(KafkaError(KafkaError._FATAL, fatal=True))
    # A broken one that is replaced already breaks nothing.
    rig.drivers[0].errored(KafkaError(KafkaError._FATAL, fatal=True))
    await eventually(lambda: len(rig.drivers) == 3, within_s=5, what="a third producer")
    rig.says(6)
    assert await rig.append() == Appended(6, 1_000)
    assert rig.writer.replaced == 2


async def test_an_append_whose_caller_left_goes_on(rig: Rig) -> None:
    async with asyncio.TaskGroup() as tasks:
        left = tasks.create_task(rig.append())
        await asyncio.sleep(0)
        left.cancel()
    rig.says(1, 2)
    assert await rig.append() == Appended(2, 1_000)


async def test_a_burst_is_one_wake_up() -> None:
    bursts: list[int] = []

    def take(items: Sequence[int]) -> None:
        bursts.append(len(items))

    handover = HandOver[int](asyncio.get_running_loop(), take)
    for number in range(1_000):
        handover.put(number)
    await eventually(lambda: bool(bursts), within_s=5, what="a burst")
    handover.put(1)
    await eventually(lambda: len(bursts) == 2, within_s=5, what="the next one")
    assert bursts == [1_000, 1]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError._MSG_TIMED_OUT, OutcomeUnknown),
        (KafkaError._TRANSPORT, OutcomeUnknown),
        (KafkaError.REQUEST_TIMED_OUT, OutcomeUnknown),
        (KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND, OutcomeUnknown),
        (KafkaError._PURGE_INFLIGHT, OutcomeUnknown),
        (KafkaError._FATAL, OutcomeUnknown),
        (KafkaError.MSG_SIZE_TOO_LARGE, NotWritten),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, NotWritten),
        (KafkaError._QUEUE_FULL, NotWritten),
        (KafkaError._UNKNOWN_TOPIC, UnknownTopic),
        (KafkaError._UNKNOWN_PARTITION, UnknownTopic),
    ],
)
def test_only_what_certainly_was_not_written_is_called_so(code: int, kind: type[LogError]) -> None:
    assert type(of_append(KafkaError(code))) is kind


def test_what_is_asked_in_vain_is_unavailable_or_unknown() -> None:
    assert type(of_ask(KafkaError(KafkaError._TIMED_OUT))) is LogUnavailable
    assert type(of_ask(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))) is UnknownTopic
