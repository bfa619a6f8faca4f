"""A log in this process's memory, without threads: for tests, and for simulations on a loop of
their own. It ends with the process."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from libs.log.port import (
    READ_RECORDS_MAX,
    RECORD_BYTES_MAX,
    Appended,
    Ends,
    Group,
    LogUnavailable,
    NotWritten,
    Partition,
    PositionGone,
    Positions,
    Stored,
    Tail,
    TopicMismatch,
    TopicState,
    UnknownTopic,
)
from libs.log.sqlite.follow import Follower, FollowerTail, Wakes
from libs.log.sqlite.group import Member, Roster
from libs.log.sqlite.statements import Page
from libs.log.sqlite.sweep import TOMBSTONE_KEPT_MS
from libs.wire.topics import Cleanup, Topic

# A batch of a tail: as much as is handled in one go.
TAIL_RECORDS_MAX = 500


class _Records:
    """One partition. After compaction the offsets of `kept` have holes."""

    def __init__(self) -> None:
        self.first = self.next = 0
        self.kept: list[Stored] = []

    def add(self, partition: Partition, key: bytes, value: bytes, *, now_ms: int) -> Appended:
        at_ms = max(now_ms, self.kept[-1].at_ms) if self.kept else now_ms
        self.kept.append(Stored(partition, self.next, at_ms, key, value))
        self.next += 1
        return Appended(self.next - 1, at_ms)

    def page(self, partition: Partition, start: int, limit: int) -> Page:
        if start < self.first:
            raise PositionGone(*partition, self.first)
        begin = bisect_left(self.kept, start, key=lambda stored: stored.offset)
        return Page(self.kept[begin : begin + limit], self.next)

    def offset_at(self, at_ms: int) -> int:
        begin = bisect_left(self.kept, at_ms, key=lambda stored: stored.at_ms)
        return self.kept[begin].offset if begin < len(self.kept) else self.next

    def trim(self, first: int) -> None:
        self.first = max(self.first, min(first, self.next))
        self.kept = [stored for stored in self.kept if stored.offset >= self.first]

    def compact(self, now_ms: int) -> None:
        last = {stored.key: stored.offset for stored in self.kept}
        buried_ms = now_ms - TOMBSTONE_KEPT_MS
        self.kept = [
            stored
            for stored in self.kept
            if stored.offset == last[stored.key] and (stored.value or stored.at_ms > buried_ms)
        ]


class MemoryLog:
    """`Log` in memory, on whichever loop it is called. `now_ms` is the clock of its records."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._topics: dict[str, Topic] = {}
        self._records: dict[Partition, _Records] = {}
        self._committed: dict[tuple[str, Partition], int] = {}
        self._rosters: dict[str, Roster] = {}
        self._wakes = Wakes()
        self._is_closed = False

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        """See the port."""
        if len(key) + len(value) > RECORD_BYTES_MAX:
            raise ValueError(f"{len(key) + len(value)} bytes are over {RECORD_BYTES_MAX}")
        if self._is_closed:
            raise NotWritten("the log is closed")
        appended = self._of(partition).add(partition, key, value, now_ms=self._now_ms())
        self._wakes.committed([partition])
        return appended

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        """See the port."""
        if not 1 <= limit <= READ_RECORDS_MAX:
            raise ValueError(f"a limit of {limit} is not within 1 to {READ_RECORDS_MAX}")
        self._check_open()
        return self._of(partition).page(partition, start, limit).records

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        """See the port."""
        self._check_open()
        found = {partition: self._of(partition) for partition in partitions}
        return {partition: Ends(one.first, one.next) for partition, one in found.items()}

    async def offsets_at(
        self, partitions: Iterable[Partition], at_ms: int
    ) -> Mapping[Partition, int]:
        """See the port."""
        self._check_open()
        return {partition: self._of(partition).offset_at(at_ms) for partition in partitions}

    @asynccontextmanager
    async def tail(self, starts: Mapping[Partition, int]) -> AsyncIterator[Tail]:
        """See the port."""
        follower = self._follower()
        try:
            follower.start(starts)
            yield FollowerTail(follower)
        finally:
            follower.close()

    @asynccontextmanager
    async def group(
        self, name: str, topics: Sequence[Topic], positions: Positions
    ) -> AsyncIterator[Group]:
        """See the port."""
        counts = {topic.name: (await self.describe(topic.name)).partitions for topic in topics}
        wanted = frozenset(
            Partition(topic, index) for topic, count in counts.items() for index in range(count)
        )
        roster = self._rosters.setdefault(name, Roster(name))
        member = Member(
            roster, wanted, positions=positions, follower=self._follower(), offsets=self
        )
        try:
            yield member
        finally:
            member.leave()
            if roster.is_empty():
                self._rosters.pop(name, None)

    async def trim(self, partition: Partition, first: int) -> None:
        """See the port."""
        self._check_open()
        self._of(partition).trim(first)

    async def create_topics(self, topics: Iterable[Topic]) -> None:
        """See the port."""
        self._check_open()
        for topic in topics:
            there = self._topics.setdefault(topic.name, topic)
            if _shape(there) != _shape(topic):
                raise TopicMismatch(f"{topic.name} is {_shape(there)}, not {_shape(topic)}")
            for index in range(topic.partitions):
                self._records.setdefault(Partition(topic.name, index), _Records())

    async def describe(self, topic: str) -> TopicState:
        """See the port. The settings are `cleanup` and `kept_ms`."""
        self._check_open()
        known = self._topics.get(topic)
        if known is None:
            raise UnknownTopic(f"there is no topic {topic}")
        settings = {"cleanup": known.cleanup.value, "kept_ms": str(known.kept_ms)}
        return TopicState(known.partitions, settings)

    async def close(self) -> None:
        """See the port."""
        self._is_closed = True
        self._wakes.end()

    def sweep(self) -> None:
        """Forget now what the topics' cleanup lets go of; it never happens by itself."""
        now_ms = self._now_ms()
        for partition, records in self._records.items():
            topic = self._topics[partition.topic]
            if topic.cleanup is Cleanup.COMPACT:
                records.compact(now_ms)
            elif topic.cleanup is Cleanup.AGE:
                records.trim(records.offset_at(now_ms - topic.kept_ms))

    async def commit_position(self, name: str, partition: Partition, position: int) -> None:
        """Remember a group's position."""
        self._check_open()
        self._committed[name, partition] = position

    async def start_positions(
        self, name: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, int]:
        """Where a group goes on."""
        self._check_open()
        return {
            partition: self._committed.get((name, partition), self._of(partition).first)
            for partition in partitions
        }

    def _follower(self) -> Follower:
        async def page_of(partition: Partition, start: int) -> Page:
            # A moment in which who waits can be cancelled: no tail is at its end at once.
            await asyncio.sleep(0)
            self._check_open()
            return self._of(partition).page(partition, start, TAIL_RECORDS_MAX)

        return Follower(self._wakes, page_of, self.ends)

    def _of(self, partition: Partition) -> _Records:
        found = self._records.get(partition)
        if found is None:
            raise UnknownTopic(f"there is no {partition}")
        return found

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogUnavailable("the log is closed")


def _shape(topic: Topic) -> tuple[int, Cleanup, int]:
    return topic.partitions, topic.cleanup, topic.kept_ms
