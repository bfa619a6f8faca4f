"""Following a topic of changes from now on, or from some time back: what was remembered before a
change counts no more, so whoever remembers has to know whether changes are heard."""

from collections.abc import Callable

from libs.log.port import LogError, Partition, PositionGone, Stored
from libs.runtime.beats import sources_of
from libs.runtime.logging import logger
from libs.runtime.positions import Positions
from libs.runtime.service import Ports
from libs.wire.codec import Malformed
from libs.wire.records import Heartbeat, Record, decode
from libs.wire.topics import Topic

RETRY_S = 0.5
# So long without a beat, and changes may be missed: a leader's death silences a source for 2 to
# 3 s, and beats come once a second.
SILENT_S = 5.0

_log = logger("changes")


def _nothing() -> None:
    return None


class Changes:
    """All partitions of one topic, each record given to `take` once.

    `missed` is called when records may never be seen here. `broken` is called when the log stops
    to answer: what comes meanwhile is seen late. Heartbeats are not given to `take`: they tell
    which sources are heard. `reader`: the service that follows, for its metric.
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
        reader: str = "",
    ) -> None:
        self._ports = ports
        self._positions = Positions(reader)
        self._topic = topic
        self._take = take
        self._missed = missed
        self._broken = broken
        self._back_ms = back_ms
        self._fault = "not read yet"
        self._heard_s: dict[Partition, float] = {}
        self._oldest_s = 0.0
        self._expect()

    def silent_s(self) -> float:
        """For how long the source that was heard longest ago is not heard; at first, since the
        topic is followed. A topic without sources is never silent."""
        return self._ports.clock.monotonic() - self._oldest_s if self._heard_s else 0.0

    def is_silent(self) -> bool:
        """Whether a source is not heard for so long that its changes may be missing."""
        return self.silent_s() >= SILENT_S

    def lacks(self) -> list[str]:
        """Why this process does not follow the topic now. Silence is no such reason: who should
        beat has failed then, and whoever else follows hears as little."""
        return [f"{self._topic.name}: {self._fault}"] if self._fault else []

    def quietest(self) -> str:
        """The source that was heard longest ago, for people."""
        source = min(self._heard_s, key=self._heard_s.__getitem__)
        return f"{source.topic}/{source.index}"

    async def run(self) -> None:
        """Follow for ever, from `back_ms` before this call; faults of the log are waited out."""
        since = self._ports.clock.now_ms() - self._back_ms
        starts: dict[Partition, int] = {}
        while True:
            try:
                if not starts:
                    starts = await self._starts(since)
                    self._expect()
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

    def _expect(self) -> None:
        """From now on all sources should be heard."""
        self._oldest_s = self._ports.clock.monotonic()
        self._heard_s = dict.fromkeys(sources_of(self._topic), self._oldest_s)

    async def _starts(self, since_ms: int) -> dict[Partition, int]:
        parts = [Partition(self._topic.name, index) for index in range(self._topic.partitions)]
        return dict(await self._ports.log.offsets_at(parts, since_ms))

    async def _read(self, starts: dict[Partition, int]) -> None:
        """Take what comes; `starts` moves along, so that the next try goes on from there."""
        self._positions.note(starts)
        async with self._ports.log.tail(starts) as tail:
            async for batch in tail:
                for stored in batch:
                    self._take_one(stored)
                partition, position = batch[0].partition, batch[-1].offset + 1
                starts[partition] = position
                self._positions.note({partition: position})

    def _take_one(self, stored: Stored) -> None:
        try:
            record = decode(stored.value)
        except Malformed as fault:
            _log.error("record skipped", topic=self._topic.name, fault=str(fault))
            return
        if isinstance(record, Heartbeat):
            self._hear(record)
        else:
            self._take(record)

    def _hear(self, beat: Heartbeat) -> None:
        source = Partition(beat.topic, beat.partition)
        if source not in self._heard_s:
            return
        # One that comes late (read late, or written late) is as old as the look that it tells of.
        # Of two clocks that differ, the writer's may be ahead: then it counts from its arrival.
        age_s = max(0, self._ports.clock.now_ms() - beat.at_ms) / 1000
        heard_s = self._ports.clock.monotonic() - age_s
        self._heard_s[source] = max(self._heard_s[source], heard_s)
        self._oldest_s = min(self._heard_s.values())
