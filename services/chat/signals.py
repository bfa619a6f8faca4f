"""News of appends, for those who cannot follow every partition. Losing one delays, nothing more."""

import asyncio

from libs.log.port import Log, LogError, Partition
from libs.wire.records import Signal, encode
from libs.wire.topics import SIGNALS

from .metrics import SIGNALS_DROPPED

# What a signal carries of the record itself; a reader fetches a larger one.
RECORD_BYTES_MAX = 4_096


class Signals:
    """A bounded queue of signals and the loop that appends them, begun in order."""

    def __init__(self, log: Log, *, waiting: int, in_flight: int) -> None:
        self._log = log
        self._queue: asyncio.Queue[Signal] = asyncio.Queue(waiting)
        self._room = asyncio.Semaphore(in_flight)

    def put(self, signal: Signal) -> None:
        """Never waits: when the queue is full the oldest is dropped, and relays reconcile."""
        if self._queue.full():
            self._queue.get_nowait()
            SIGNALS_DROPPED.inc()
        self._queue.put_nowait(signal)

    async def run(self) -> None:
        """Append for ever."""
        async with asyncio.TaskGroup() as sending:
            while True:
                signal = await self._queue.get()
                await self._room.acquire()
                sending.create_task(self._send(signal), name="chat.signal")

    async def _send(self, signal: Signal) -> None:
        partition = Partition(SIGNALS.name, SIGNALS.partition_of(signal.channel))
        try:
            await self._log.append(partition, encode(signal), key=signal.channel.encode())
        except LogError:
            SIGNALS_DROPPED.inc()
        finally:
            self._room.release()


def signal_of(channel: str, epoch: int, *, ident: int, at_ms: int, raw: bytes) -> Signal:
    """The signal of an appended record."""
    small = raw if len(raw) <= RECORD_BYTES_MAX else None
    return Signal(channel=channel, epoch=epoch, id=ident, at_ms=at_ms, record=small)
