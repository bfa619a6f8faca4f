"""Following a topic of changes from now on, or from some time back: what was remembered before a
change counts no more, so whoever remembers has to know whether changes are heard."""

from collections.abc import Callable

from libs.log.port import LogError, Partition, PositionGone, Stored
from libs.runtime.logging import logger
from libs.runtime.service import Ports
from libs.wire.codec import Malformed
from libs.wire.records import Record, decode
from libs.wire.topics import Topic

RETRY_S = 0.5

_log = logger("changes")


def _nothing() -> None:
    return None


class Changes:
    """All partitions of one topic, each record given to `take` once.

    `missed` is called when records may never be seen here. `broken` is called when the log stops
    to answer: what comes meanwhile is seen late.
    """

    def __init__(
        self,
        ports: Ports,
        topic: Topic,
        take: Callable[[Record], None],
        *,
        missed: Callable[[], None],
        broken: Callable[[], None] = _nothing,
        back_ms: int = 0,
    ) -> None:
        self._ports = ports
        self._topic = topic
        self._take = take
        self._missed = missed
        self._broken = broken
        self._back_ms = back_ms
        self._fault = "not read yet"

    def lacks(self) -> list[str]:
        """Why changes might be missed now."""
        return [f"{self._topic.name}: {self._fault}"] if self._fault else []

    async def run(self) -> None:
        """Follow for ever, from `back_ms` before this call; faults of the log are waited out."""
        since = self._ports.clock.now_ms() - self._back_ms
        starts: dict[Partition, int] = {}
        while True:
            try:
                starts = starts or await self._starts(since)
                self._fault = ""
                await self._read(starts)
            except PositionGone as gone:
                # The topic forgot records that were not read here: what they said is not known.
                starts[gone.partition] = gone.first
                self._missed()
            except LogError as fault:
                self._fault = str(fault)
                self._broken()
                _log.warning("changes wait", topic=self._topic.name, fault=self._fault)
                await self._ports.clock.sleep(RETRY_S)

    async def _starts(self, since_ms: int) -> dict[Partition, int]:
        parts = [Partition(self._topic.name, index) for index in range(self._topic.partitions)]
        return dict(await self._ports.log.offsets_at(parts, since_ms))

    async def _read(self, starts: dict[Partition, int]) -> None:
        """Take what comes; `starts` moves along, so that the next try goes on from there."""
        async with self._ports.log.tail(starts) as tail:
            async for batch in tail:
                for stored in batch:
                    self._take_one(stored)
                starts[batch[0].partition] = batch[-1].offset + 1

    def _take_one(self, stored: Stored) -> None:
        try:
            self._take(decode(stored.value))
        except Malformed as fault:
            _log.error("record skipped", topic=self._topic.name, fault=str(fault))
