"""The embedded log's face: the port's methods over a writing and a reading thread."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from libs.log.port import (
    RECORD_BYTES_MAX,
    Appended,
    Group,
    Partition,
    Positions,
    Tail,
)
from libs.log.sqlite import statements
from libs.log.sqlite.follow import FollowerTail
from libs.log.sqlite.group import Member, Roster
from libs.log.sqlite.lock import FileLock
from libs.log.sqlite.reads import SqliteReads, or_unavailable
from libs.log.sqlite.schema import MEMORY, connect_reader, connect_writer
from libs.log.sqlite.sweep import SWEEP_EVERY_MS, sweep_slice
from libs.log.sqlite.worker import Job, Worker
from libs.wire.topics import Topic

T = TypeVar("T")


class SqliteLog(SqliteReads):
    """`Log` in one SQLite file, for one process. Made by `open_sqlite`; belongs to the event loop
    that opened it. `commits` counts transactions: many appends share one."""

    def __init__(
        self,
        path: str,
        *,
        now_ms: Callable[[], int],
        bytes_max: int | None,
    ) -> None:
        self._now_ms = now_ms
        self._lock = FileLock(path)
        self._rosters: dict[str, Roster] = {}
        self._path = path
        self._swept_at_ms = 0

        def connect() -> sqlite3.Connection:
            if path != MEMORY:
                self._lock.take()
            return connect_writer(path, bytes_max=bytes_max)

        self._writer = Worker(connect, begin="BEGIN IMMEDIATE", answered=self._answered)
        # Memory is one connection's own, so there the writing thread reads as well.
        reader = self._writer
        if path != MEMORY:
            reader = Worker(partial(connect_reader, path), begin="BEGIN")
        super().__init__(reader)

    @property
    def commits(self) -> int:
        """Transactions so far."""
        return self._writer.commits

    async def start(self) -> None:
        """Open the file and begin to sweep. Raises `LogInUse`, `LogUnavailable`."""
        try:
            await self._writer.start()
            if self._reader is not self._writer:
                await self._reader.start()
        except BaseException:
            await self.close()
            raise
        self._sweep_soon()

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        """See the port."""
        size = len(key) + len(value)
        if size > RECORD_BYTES_MAX:
            raise ValueError(f"a record of {size} bytes is over {RECORD_BYTES_MAX}")
        now_ms = self._now_ms()
        if now_ms - self._swept_at_ms >= SWEEP_EVERY_MS:
            self._sweep_soon()
        act = partial(statements.append, partition=partition, record=(key, value), now_ms=now_ms)
        return await self._writer.call(act, held_bytes=size, touches=partition)

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
        """See the port. What is forgotten frees room for later records; the file keeps its size."""
        await self._change(partial(statements.trim, partition=partition, first=first))
        self._sweep_soon()

    async def create_topics(self, topics: Iterable[Topic]) -> None:
        """See the port."""
        await self._change(partial(statements.create_topics, topics=list(topics)))

    async def sweep(self) -> None:
        """Forget now what the topics' cleanup lets go of. It also happens by itself: at the start,
        after a trim, and once a minute while the log is written to."""
        while await self._change(partial(sweep_slice, now_ms=self._now_ms())):
            pass

    async def commit_position(self, name: str, partition: Partition, position: int) -> None:
        """Remember a group's position."""
        act = partial(statements.commit, name=name, partition=partition, position=position)
        await self._change(act)

    async def start_positions(
        self, name: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, int]:
        """Where a group goes on."""
        return await self._ask(
            partial(statements.start_positions, name=name, partitions=partitions)
        )

    async def close(self) -> None:
        """See the port. Closing twice is closing once."""
        self._wakes.end()
        await self._writer.stop()
        await self._reader.stop()
        self._lock.release()

    def _sweep_soon(self) -> None:
        now_ms = self._swept_at_ms = self._now_ms()
        self._writer.set_chore(partial(sweep_slice, now_ms=now_ms))

    def _answered(self, jobs: Sequence[Job]) -> None:
        self._wakes.committed({job.touches for job in jobs if job.touches and not job.error})

    async def _change(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """What can be done again without harm."""
        return await or_unavailable(self._writer, act)


async def open_sqlite(
    path: str, *, now_ms: Callable[[], int], bytes_max: int | None = None
) -> SqliteLog:
    """Open the log in a file (made when missing), or in memory (`":memory:"`).

    `now_ms` is the clock of the records, asked in the event loop. `bytes_max` keeps the file below
    a size; an append beyond it fails as on a full disk. Raises `LogInUse`, `LogUnavailable`."""
    log = SqliteLog(path, now_ms=now_ms, bytes_max=bytes_max)
    await log.start()
    return log
