"""The log port: what the services may expect of the log, whichever adapter is behind it.

Guarantees, each a test of the contract suite (`contract.py`):

Order and density
    A topic has partitions, a partition is a sequence of records with offsets from 0, rising by one
    per append, never reused. Only a compacted topic may lose records from the middle. `read`,
    `tail` and `group` give the records of one partition in the order of their offsets.
One append per success
    `append` that returns has written the record once, durably, and readers can see it. Appends to a
    partition that one task awaits one after the other have rising offsets. A record whose key and
    value exceed `RECORD_BYTES_MAX` together is a `ValueError`: no retry would help.
    What one log object was told of an append, a page or an end, its next `read` and `ends` know
    too: an answer that goes back behind it is `LogUnavailable`.
Unknown is not failed
    `NotWritten`: certainly not written. `OutcomeUnknown`: it may be written now, or later, or
    never; only reading tells. A cancelled `append` is unknown as well: the record goes on.
Positions
    A position is the offset of the next record to read. A position below the first kept offset is
    `PositionGone` with that first offset, never a jump. A position beyond the end waits (`tail`,
    `group`) or gives nothing (`read`).
Groups
    Members of a named group share the partitions of its topics, each partition one member at a
    time. Start positions are the caller's (`positions`), for it may keep them elsewhere; where it
    gives none, the group's committed one counts, else the first kept. `commit` says what was
    handled: a member that dies before it commits leaves its records to the next. A partition is
    taken from a member when that asks for its next batch, not while it handles one; a `commit` of
    a partition that is not the member's is `NotWritten`. After `PositionGone` the start position
    is asked for again, so a member whose committed position is gone commits `first` and goes on.
Compaction
    A compacted topic keeps the last record of each key, in its place, and forgets earlier ones some
    time later. A record without a value is a tombstone: it goes as well, but not within a day. The
    first kept offset does not move by it.
After close
    `append` is `NotWritten`; everything else, a tail that waits too, is `LogUnavailable`.
Time
    `at_ms` of a record is the log's own clock at append, UTC milliseconds, not falling within a
    partition.

Everything else an adapter meets (a driver's error) is translated into the errors below.

    LogError
    ├── NotWritten        nothing was written; append again
    ├── OutcomeUnknown    read before you append again
    ├── PositionGone      `first` is the lowest position that is left
    ├── UnknownTopic      create it first
    ├── TopicMismatch     the topic exists with other partitions or cleanup than asked for
    ├── LogUnavailable    the log does not answer; try again later
    └── LogInUse          another process holds an embedded log
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from libs.wire.topics import Topic

READ_RECORDS_MAX = 1_000
RECORD_BYTES_MAX = 1 << 20


class LogError(Exception):
    """What the log could not do."""


class NotWritten(LogError):
    """The record was certainly not written."""


class OutcomeUnknown(LogError):
    """The record may have been written, or may still be."""


class PositionGone(LogError):
    """The position in `partition` is below what is kept; `first` is the lowest that is left."""

    def __init__(self, topic: str, partition: int, first: int) -> None:
        super().__init__(f"{topic}/{partition}: what is below offset {first} is gone")
        self.partition = Partition(topic, partition)
        self.first = first


class UnknownTopic(LogError):
    """The topic or partition does not exist."""


class TopicMismatch(LogError):
    """The topic exists, but not as asked for."""


class LogUnavailable(LogError):
    """The log does not answer."""


class LogInUse(LogError):
    """Another process has this log open."""


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    index: int  # type: ignore[assignment]  # a tuple's method of this name is not needed here


class Appended(NamedTuple):
    """Where and when (the log's clock, UTC milliseconds) a record was written."""

    offset: int
    at_ms: int


class Stored(NamedTuple):
    """A record as it is read back."""

    partition: Partition
    offset: int
    at_ms: int
    key: bytes
    value: bytes


class Ends(NamedTuple):
    """First kept offset and the offset that the next record will get."""

    first: int
    next: int


class TopicState(NamedTuple):
    """A topic as it is: partitions, and settings in the log's own words."""

    partitions: int
    settings: Mapping[str, str]


Positions = Callable[[Sequence[Partition]], Awaitable[Mapping[Partition, int]]]


class Tail(Protocol):
    """Partitions followed from given positions. Iterate: batches of 1 or more records, each of one
    partition, in order; waits when there is nothing. Raises `PositionGone`."""

    def __aiter__(self) -> AsyncIterator[Sequence[Stored]]: ...


class Group(Tail, Protocol):
    """A member of a consumer group: a tail over the partitions that it is given."""

    def assigned(self) -> frozenset[Partition]:
        """The partitions that are this member's now."""

    async def commit(self, partition: Partition, position: int) -> None:
        """All below `position` is handled."""


class Reads(Protocol):
    """What changes nothing. See the module's docstring for what holds."""

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        """At most `limit` (to `READ_RECORDS_MAX`) records from position `start`; fewer at the end.
        Raises `PositionGone`, `UnknownTopic`, `LogUnavailable`."""

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        """The ends of many partitions (1,000 and more) in one call. Raises `UnknownTopic`."""

    async def offsets_at(
        self, partitions: Iterable[Partition], at_ms: int
    ) -> Mapping[Partition, int]:
        """For each partition the offset of its first record at or after a time, else its end."""

    def tail(self, starts: Mapping[Partition, int]) -> AbstractAsyncContextManager[Tail]:
        """Follow these partitions from these positions."""

    async def describe(self, topic: str) -> TopicState:
        """The topic as it is. Raises `UnknownTopic`."""

    async def close(self) -> None:
        """End everything. Appends under way have an answer by then. Twice is as good as once."""


class Log(Reads, Protocol):
    """See the module's docstring for what holds."""

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        """Write one record (key and value at most `RECORD_BYTES_MAX`, else `ValueError`). Raises
        `NotWritten`, `OutcomeUnknown`, `UnknownTopic`."""

    def group(
        self, name: str, topics: Sequence[Topic], positions: Positions
    ) -> AbstractAsyncContextManager[Group]:
        """Join the group; `positions` is asked each time partitions are given to this member."""

    async def trim(self, partition: Partition, first: int) -> None:
        """Forget all below offset `first`."""

    async def create_topics(self, topics: Iterable[Topic]) -> None:
        """Create what is missing; what exists as asked is success. Raises `TopicMismatch`."""


class Inspection(Reads, Protocol):
    """A log that others serve, looked at: nothing is made, written, locked or joined, so it may be
    done while they run."""

    async def breaches(self, topic: Topic) -> Sequence[str]:
        """What about an existing topic breaks the log's promises: of each thing what it is and what
        it must be. Raises `UnknownTopic`, `LogUnavailable`."""

    async def committed(
        self, group: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, int]:
        """The positions that a group committed, where it did. Raises `LogUnavailable`."""


async def from_group(partitions: Sequence[Partition]) -> Mapping[Partition, int]:
    """`Positions` of a caller that keeps none: the group's committed positions count."""
    return {}
