"""Looking at the file of an embedded log while its own process may serve it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from libs.log.port import LogUnavailable, Partition, Stored, Tail
from libs.log.sqlite import statements
from libs.log.sqlite.follow import Follower
from libs.log.sqlite.reads import SqliteReads
from libs.log.sqlite.schema import connect_inspector
from libs.log.sqlite.worker import Worker
from libs.wire.topics import Topic

# No commit of another process wakes us. Looking for its end is one look-up for each partition.
LOOK_S = 0.1


class SqliteInspection(SqliteReads):
    """`Inspection`. Made by `inspect_sqlite`; belongs to the event loop that opened it."""

    def __init__(self, path: str) -> None:
        super().__init__(Worker(partial(connect_inspector, path), begin="BEGIN"))
        self._is_closed = False

    async def start(self) -> None:
        """Open the file. Raises `LogUnavailable`."""
        await self._reader.start()

    @asynccontextmanager
    async def tail(self, starts: Mapping[Partition, int]) -> AsyncIterator[Tail]:
        """See the port."""
        follower = self._follower()
        try:
            follower.start(starts)
            yield _LookingTail(self, follower)
        finally:
            follower.close()

    async def breaches(self, topic: Topic) -> Sequence[str]:
        """See the port."""
        state = await self.describe(topic.name)
        found = {"partitions": str(state.partitions), **state.settings}
        wanted = {
            "partitions": str(topic.partitions),
            "cleanup": topic.cleanup.value,
            "kept_ms": str(topic.kept_ms),
        }
        return [
            f"{name} is {found.get(name)}, it must be {value}"
            for name, value in wanted.items()
            if found.get(name) != value
        ]

    async def committed(
        self, group: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, int]:
        """See the port."""
        return await self._ask(partial(statements.committed, name=group, partitions=partitions))

    async def close(self) -> None:
        """See the port."""
        self._is_closed = True
        self._wakes.end()
        await self._reader.stop()

    async def wake(self, follower: Follower) -> None:
        """Wake a follower where there is more than it has. Raises `LogUnavailable`."""
        if self._is_closed:
            raise LogUnavailable("the log is closed")
        for partition, ends in (await self.ends(list(follower.positions))).items():
            if ends.next > follower.positions[partition]:
                follower.wake(partition)


class _LookingTail:
    """`Tail` that looks again and again."""

    def __init__(self, log: SqliteInspection, follower: Follower) -> None:
        self._log = log
        self._follower = follower

    def __aiter__(self) -> AsyncIterator[Sequence[Stored]]:
        return self

    async def __anext__(self) -> Sequence[Stored]:
        while not (records := await self._follower.next_batch()):
            await asyncio.sleep(LOOK_S)
            await self._log.wake(self._follower)
        return records


async def inspect_sqlite(path: str) -> SqliteInspection:
    """Look at the log in a file, whoever serves it. Raises `LogUnavailable` when there is none."""
    log = SqliteInspection(path)
    try:
        await log.start()
    except BaseException:
        await log.close()
        raise
    return log
