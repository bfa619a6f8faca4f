"""The real parts that the tests of the runtime run on: log and Redis in memory, a turned clock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from libs.log.open import open_log
from libs.log.port import Log, Partition
from libs.runtime.calls import Caller
from libs.runtime.identity import Signer
from libs.runtime.secrets import Secrets
from libs.runtime.service import Ports
from libs.runtime.tasks import CANCEL_AGAIN_S, GroupTasks
from libs.store import Pipeline, Redis, StoreUnavailable, open_store
from libs.testing.clock import VirtualClock
from libs.wire import ids
from libs.wire.records import Heartbeat
from libs.wire.topics import Cleanup, Topic

KEY = bytes(range(32))
SOON_S = 10.0

THINGS = Topic(
    "things",
    partitions=4,
    cleanup=Cleanup.NEVER,
    key="thing",
    holds=(Heartbeat,),
    writers=("shop",),
    readers=("shop",),
)
FIRST = Partition(THINGS.name, 0)


@asynccontextmanager
async def memory_log(clock: VirtualClock) -> AsyncIterator[Log]:
    log = await open_log("sqlite://:memory:", now_ms=clock.now_ms)
    try:
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def world() -> AsyncIterator[Ports]:
    """Ports of a service `shop`; nothing but the clock and the tasks is shared with another one."""
    clock = VirtualClock()
    store = open_store("")
    async with memory_log(clock) as log, asyncio.TaskGroup() as group:
        await log.create_topics([THINGS])
        yield Ports(
            log=log,
            store=store,
            calls=caller(clock),
            clock=clock,
            tasks=GroupTasks(group),
            signer=Signer(KEY),
            secrets=Secrets(Path("nowhere"), may_make=False),
            new_id=lambda: ids.fresh(clock.now_ms(), bytes(ids.ENTROPY_BYTES)),
        )
    await store.aclose()


def caller(clock: VirtualClock, addresses: Mapping[str, str] | None = None) -> Caller:
    return Caller(
        "shop",
        signer=Signer(KEY),
        clock=clock,
        addresses={name: (url,) for name, url in (addresses or {}).items()},
    )


def turned(ports: Ports) -> VirtualClock:
    """The clock of these ports, to be moved."""
    assert isinstance(ports.clock, VirtualClock)
    return ports.clock


@asynccontextmanager
async def running(*loops: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """These loops run inside of the block."""

    async def live(loop: Callable[[], Awaitable[None]]) -> None:
        await loop()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(live(loop)) for loop in loops]
        try:
            yield
        finally:
            await _end(tasks)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    # As a process does: a cancel can be lost in a driver.
    while living := [task for task in tasks if not task.done()]:
        for task in living:
            task.cancel()
        await asyncio.wait(living, timeout=CANCEL_AGAIN_S)


class FaultyStore:
    """Redis that does not answer while `is_away`: the commands that a view gives."""

    def __init__(self, inner: Redis) -> None:
        self._inner = inner
        self.is_away = False

    def as_redis(self) -> Redis:
        return cast(Redis, self)

    async def get(self, key: str) -> bytes | None:
        self._check()
        return cast(bytes | None, await self._inner.get(key))

    async def set(self, key: str, value: int) -> object:
        self._check()
        return await self._inner.set(key, value)

    async def mget(self, keys: list[str]) -> list[bytes | None]:
        self._check()
        return cast(list[bytes | None], await self._inner.mget(keys))

    def pipeline(self, transaction: bool) -> Pipeline:
        self._check()
        return self._inner.pipeline(transaction=transaction)

    def _check(self) -> None:
        if self.is_away:
            raise StoreUnavailable("no route to Redis")


class CutStore:
    """Redis behind which all stands still once the `left`-th MULTI is in: `is_cut` is set then."""

    def __init__(self, inner: Redis, left: int) -> None:
        self.is_cut = asyncio.Event()
        self._inner = inner
        self._left = left

    def as_redis(self) -> Redis:
        return cast(Redis, self)

    async def mget(self, keys: list[str]) -> list[bytes | None]:
        return cast(list[bytes | None], await self._inner.mget(keys))

    async def get(self, key: str) -> bytes | None:
        return cast(bytes | None, await self._inner.get(key))

    async def set(self, key: str, value: int) -> object:
        return await self._inner.set(key, value)

    def pipeline(self, transaction: bool) -> Pipeline:
        pipe = self._inner.pipeline(transaction=transaction)
        execute = pipe.execute

        async def cut() -> object:
            found = await execute()
            self._left -= 1
            if self._left == 0:
                self.is_cut.set()
                await asyncio.Event().wait()
            return found

        pipe.execute = cut  # type: ignore[method-assign,assignment]
        return pipe
