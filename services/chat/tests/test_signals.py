"""Signals may be dropped, and posts do not notice."""

import asyncio

from libs.log.faults import FaultyLog, Script
from libs.log.port import Appended, Log, Partition
from libs.testing.eventually import eventually
from libs.wire.records import Signal, decode
from libs.wire.topics import SIGNALS
from services.chat.signals import RECORD_BYTES_MAX, Signals, signal_of
from services.chat.tests.instance import CHANNEL, SOON_S

PARTITION = Partition(SIGNALS.name, SIGNALS.partition_of(CHANNEL))


class TriedLog(FaultyLog):
    """Counts appends, done or not."""

    def __init__(self, inner: Log) -> None:
        super().__init__(inner, Script())
        self.tried = 0

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        self.tried += 1
        return await super().append(partition, value, key=key)


def _signal(ident: int) -> Signal:
    return signal_of(CHANNEL, 1, ident=ident, at_ms=0, raw=b"raw")


async def _ids(log: Log) -> list[int]:
    stored = [decode(s.value) for s in await log.read(PARTITION, 0, limit=100)]
    return [signal.id for signal in stored if isinstance(signal, Signal)]


async def test_a_full_queue_drops_the_oldest(log: Log) -> None:
    signals = Signals(log, waiting=3, in_flight=1)
    for ident in range(1, 6):
        signals.put(_signal(ident))
    run = asyncio.create_task(signals.run())
    await eventually(lambda: _all_there(log, [3, 4, 5]), within_s=SOON_S, what="the newest")
    run.cancel()


async def test_a_log_that_fails_loses_signals_and_nothing_else(log: Log) -> None:
    faulty = TriedLog(log)
    signals = Signals(faulty, waiting=10, in_flight=2)
    run = asyncio.create_task(signals.run())
    faulty.cut()
    signals.put(_signal(1))
    await eventually(lambda: faulty.tried == 1, within_s=SOON_S, what="the first was tried")
    faulty.heal()
    signals.put(_signal(2))
    await eventually(lambda: _all_there(log, [2]), within_s=SOON_S, what="the second")
    run.cancel()


def test_a_record_that_is_large_is_left_out() -> None:
    large = signal_of(CHANNEL, 1, ident=1, at_ms=0, raw=bytes(RECORD_BYTES_MAX + 1))
    assert large.record is None


async def _all_there(log: Log, wanted: list[int]) -> bool:
    return await _ids(log) == wanted
