"""A log that fails when it is told to: for tests, and for drills against a running system.

    error_before            nothing is written, `NotWritten`
    append_then_error       written, but `OutcomeUnknown`
    error_then_late_append  `OutcomeUnknown` now, written later
    delayed_ack             written, answered later
    cut                     nothing goes through until `heal`

"Later" is when `release` is called, or after a delay where `sleep` (and for late appends `spawn`)
is given. A wrapper with an idle plan changes nothing.
"""

import asyncio
import random
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from libs.log.port import (
    Appended,
    Ends,
    Group,
    Log,
    LogError,
    LogUnavailable,
    NotWritten,
    OutcomeUnknown,
    Partition,
    Positions,
    Stored,
    Tail,
    TopicState,
)
from libs.wire.topics import Topic

LATE_S = 0.05


class Fault(Enum):
    """What can happen to an append."""

    ERROR_BEFORE = "error_before"
    APPEND_THEN_ERROR = "append_then_error"
    ERROR_THEN_LATE_APPEND = "error_then_late_append"
    DELAYED_ACK = "delayed_ack"


class Plan(Protocol):
    """Decides for each call."""

    def for_append(self) -> Fault | None:
        """The fault of the next append, if any."""

    def for_read(self) -> bool:
        """Whether the next read, ends or offsets_at is unavailable."""


class Script:
    """Faults in a given order, then none; without any it is idle."""

    def __init__(self, appends: Iterable[Fault | None] = (), reads: Iterable[bool] = ()) -> None:
        self._appends = deque(appends)
        self._reads = deque(reads)

    def for_append(self) -> Fault | None:
        """The next one of the script."""
        return self._appends.popleft() if self._appends else None

    def for_read(self) -> bool:
        """The next one of the script."""
        return self._reads.popleft() if self._reads else False


class Chance:
    """Faults by probability (0 to 1 each); the same seed gives the same ones."""

    def __init__(self, seed: int, appends: Mapping[Fault, float], unavailable: float = 0.0) -> None:
        self._random = random.Random(seed)
        self._faults: list[Fault | None] = [*appends, None]
        self._weights = [*appends.values(), 1.0 - sum(appends.values())]
        self._unavailable = unavailable

    def for_append(self) -> Fault | None:
        """One draw."""
        return self._random.choices(self._faults, self._weights)[0]

    def for_read(self) -> bool:
        """One draw."""
        return self._random.random() < self._unavailable


@dataclass(frozen=True, slots=True)
class Later:
    """How time passes: `sleep` for seconds, and `spawn` for what goes on by itself."""

    sleep: Callable[[float], Awaitable[object]]
    spawn: Callable[[Coroutine[None, None, None]], object]
    delay_s: float = LATE_S


class FaultyLog:
    """`Log` around another one. Without `later` what is late waits for `release`."""

    def __init__(self, inner: Log, plan: Plan, *, later: Later | None = None) -> None:
        self._inner = inner
        self._plan = plan
        self._later = later
        self._is_cut = False
        self._tails: dict[_FaultyTail, None] = {}  # in order: a seed decides, not an address
        self._late: deque[tuple[Partition, bytes, bytes]] = deque()
        self._released = asyncio.Event()

    def cut(self) -> None:
        """Nothing goes through: appends are `NotWritten`, the rest `LogUnavailable`, tails that
        wait too."""
        self._is_cut = True
        for tail in self._tails:
            tail.interrupt()

    def heal(self) -> None:
        """All goes through again."""
        self._is_cut = False

    async def release(self) -> None:
        """Write what is late, in the order of the appends, and answer what is delayed."""
        self._released.set()
        self._released = asyncio.Event()
        while self._late:
            await self._write_late()

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        """See the port."""
        if self._is_cut:
            raise NotWritten("cut off from the log")
        fault = self._plan.for_append()
        if fault is Fault.ERROR_BEFORE:
            raise NotWritten("fault: before the append")
        if fault is Fault.ERROR_THEN_LATE_APPEND:
            self._late.append((partition, value, key))
            if self._later is not None:
                self._later.spawn(self._write_after(self._later))
            raise OutcomeUnknown("fault: the append is late")
        appended = await self._inner.append(partition, value, key=key)
        if fault is Fault.APPEND_THEN_ERROR:
            raise OutcomeUnknown("fault: after the append")
        if fault is Fault.DELAYED_ACK:
            await self._delay()
        return appended

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        """See the port."""
        self._check_read()
        return await self._inner.read(partition, start, limit=limit)

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        """See the port."""
        self._check_read()
        return await self._inner.ends(partitions)

    async def offsets_at(
        self, partitions: Iterable[Partition], at_ms: int
    ) -> Mapping[Partition, int]:
        """See the port."""
        self._check_read()
        return await self._inner.offsets_at(partitions, at_ms)

    @asynccontextmanager
    async def tail(self, starts: Mapping[Partition, int]) -> AsyncIterator[Tail]:
        """See the port."""
        self.check()
        async with self._inner.tail(starts) as inner:
            tail = _FaultyTail(self, inner)
            self._tails[tail] = None
            try:
                yield tail
            finally:
                self._tails.pop(tail, None)

    @asynccontextmanager
    async def group(
        self, name: str, topics: Sequence[Topic], positions: Positions
    ) -> AsyncIterator[Group]:
        """See the port."""
        self.check()
        async with self._inner.group(name, topics, positions) as inner:
            member = _FaultyGroup(self, inner)
            self._tails[member] = None
            try:
                yield member
            finally:
                self._tails.pop(member, None)

    async def trim(self, partition: Partition, first: int) -> None:
        """See the port."""
        self.check()
        await self._inner.trim(partition, first)

    async def create_topics(self, topics: Iterable[Topic]) -> None:
        """See the port."""
        self.check()
        await self._inner.create_topics(topics)

    async def describe(self, topic: str) -> TopicState:
        """See the port."""
        self.check()
        return await self._inner.describe(topic)

    async def close(self) -> None:
        """See the port. What is late is never written."""
        self._late.clear()
        self._released.set()
        await self._inner.close()

    def check(self) -> None:
        """Raises `LogUnavailable` while it is cut."""
        if self._is_cut:
            raise LogUnavailable("cut off from the log")

    def _check_read(self) -> None:
        self.check()
        if self._plan.for_read():
            raise LogUnavailable("fault: the read is not answered")

    async def _delay(self) -> None:
        if self._later is not None:
            await self._later.sleep(self._later.delay_s)
        else:
            await self._released.wait()

    async def _write_after(self, later: Later) -> None:
        await later.sleep(later.delay_s)
        if self._late:
            await self._write_late()

    async def _write_late(self) -> None:
        partition, value, key = self._late.popleft()
        # Its caller was told that the outcome is unknown; never written is one of the outcomes.
        with suppress(LogError):
            await self._inner.append(partition, value, key=key)


class _FaultyTail:
    def __init__(self, log: FaultyLog, inner: Tail) -> None:
        self._log = log
        self._inner = aiter(inner)
        self._waiting: asyncio.Timeout | None = None

    def interrupt(self) -> None:
        """End a wait: a deadline that is over cancels it, and a cancelled tail misses nothing."""
        if self._waiting is not None and self._waiting.when() is None:
            self._waiting.reschedule(0)

    def __aiter__(self) -> AsyncIterator[Sequence[Stored]]:
        return self

    async def __anext__(self) -> Sequence[Stored]:
        self._log.check()
        try:
            async with asyncio.timeout(None) as self._waiting:
                return await anext(self._inner)
        except TimeoutError as error:
            raise LogUnavailable("cut off from the log") from error
        finally:
            self._waiting = None


class _FaultyGroup(_FaultyTail):
    def __init__(self, log: FaultyLog, inner: Group) -> None:
        super().__init__(log, inner)
        self._member = inner

    def assigned(self) -> frozenset[Partition]:
        return self._member.assigned()

    async def commit(self, partition: Partition, position: int) -> None:
        self._log.check()
        await self._member.commit(partition, position)
