"""Following partitions: woken by this process's own commits, without polling."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

from libs.log.port import Ends, LogUnavailable, Partition, PositionGone, Stored
from libs.log.sqlite.statements import Page

PageOf = Callable[[Partition, int], Awaitable[Page]]
EndsOf = Callable[[Iterable[Partition]], Awaitable[Mapping[Partition, Ends]]]


class Wakes:
    """Who is to be woken when a partition has new records."""

    def __init__(self) -> None:
        # Dicts, not sets: who is woken in which order must not hang on addresses and hashes.
        self._followers: defaultdict[Partition, dict[Follower, None]] = defaultdict(dict)
        self._all: dict[Follower, None] = {}
        self._ended = False

    def add(self, follower: "Follower", partition: Partition) -> None:
        """From now on."""
        self._followers[partition][follower] = None

    def discard(self, follower: "Follower", partition: Partition) -> None:
        """No longer."""
        self._followers[partition].pop(follower, None)
        if not self._followers[partition]:
            del self._followers[partition]

    def enter(self, follower: "Follower") -> None:
        """A follower begins; one that begins after the end is ended at once."""
        self._all[follower] = None
        if self._ended:
            follower.end()

    def leave(self, follower: "Follower") -> None:
        """A follower is gone."""
        self._all.pop(follower, None)

    def committed(self, partitions: Iterable[Partition]) -> None:
        """These have new records."""
        for partition in partitions:
            for follower in self._followers.get(partition, ()):
                follower.wake(partition)

    def end(self) -> None:
        """The log is closed: nobody waits any longer."""
        self._ended = True
        for follower in self._all:
            follower.end()


class Follower:
    """Positions in partitions, and which of them may have something to read.

    A partition is `ready` while it may have records beyond its position. It leaves `ready` before
    it is read, so a commit that comes during the read puts it back and nothing is missed. A
    position moves only when its records are handed out, so a cancelled read is read again.
    """

    def __init__(self, wakes: Wakes, page_of: PageOf, ends_of: EndsOf) -> None:
        self.positions: dict[Partition, int] = {}
        self.changed = asyncio.Event()
        self._wakes = wakes
        self._page_of = page_of
        self._ends_of = ends_of
        self._unchecked: dict[Partition, None] = {}
        self._ready: dict[Partition, None] = {}  # a dict keeps the order: each gets its turn
        self._ended = False
        wakes.enter(self)

    def start(self, starts: Mapping[Partition, int]) -> None:
        """Follow these as well."""
        for partition, position in starts.items():
            self.positions[partition] = position
            self._unchecked[partition] = None
            self._wakes.add(self, partition)

    def stop(self, partition: Partition) -> None:
        """Follow this no longer."""
        del self.positions[partition]
        self._unchecked.pop(partition, None)
        self._ready.pop(partition, None)
        self._wakes.discard(self, partition)

    def wake(self, partition: Partition) -> None:
        """It may have something."""
        self._ready[partition] = None
        self.changed.set()

    def end(self) -> None:
        """The log is closed."""
        self._ended = True
        self.changed.set()

    def close(self) -> None:
        """Follow nothing any longer."""
        for partition in list(self.positions):
            self.stop(partition)
        self._wakes.leave(self)

    async def next_batch(self) -> Sequence[Stored]:
        """What is there now, of one partition; empty when there is nothing. Raises `PositionGone`,
        `LogUnavailable`."""
        if self._ended:
            raise LogUnavailable("the log is closed")
        await self._check()
        while self._ready:
            partition = next(iter(self._ready))
            if records := await self._read(partition):
                return records
        return ()

    async def _check(self) -> None:
        """One call finds which of the new partitions are behind; reading each would take long when
        a thousand are followed."""
        if not self._unchecked:
            return
        for partition, found in (await self._ends_of(list(self._unchecked))).items():
            if self.positions[partition] < found.first:
                raise PositionGone(*partition, found.first)
            if self.positions[partition] < found.next:
                self.wake(partition)
        self._unchecked.clear()

    async def _read(self, partition: Partition) -> Sequence[Stored]:
        del self._ready[partition]
        position = self.positions[partition]
        try:
            page = await self._page_of(partition, position)
        except BaseException:
            self.wake(partition)
            raise
        # No records, yet not at the end: what was between is compacted away.
        last = page.records[-1].offset + 1 if page.records else page.next
        position = self.positions[partition] = max(position, last)
        if position < page.next:
            self.wake(partition)
        return page.records


class FollowerTail:
    """`Tail` over a follower."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def __aiter__(self) -> AsyncIterator[Sequence[Stored]]:
        return self

    async def __anext__(self) -> Sequence[Stored]:
        while True:
            self._follower.changed.clear()
            if records := await self._follower.next_batch():
                return records
            await self._follower.changed.wait()
