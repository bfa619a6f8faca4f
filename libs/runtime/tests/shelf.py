"""A view that shows when a batch is folded twice or not at all."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from libs.log.port import Partition, Stored
from libs.runtime.service import Ports
from libs.runtime.tests.world import FIRST, SOON_S, THINGS, running, turned
from libs.runtime.view import REACH_POLL_S, View
from libs.store import Pipeline, Redis
from libs.testing.eventually import eventually

Dump = dict[object, object]


class Shelf:
    """A list per partition, in the order of the folds."""

    def __init__(self, ports: Ports) -> None:
        self.view = View("shop", [THINGS], self._fold, ports=ports, applied=self._applied)
        self.taken: set[Partition] = set()
        self.told: list[tuple[Partition, int]] = []
        self.in_fold: Callable[[], Awaitable[object]] | None = None

    async def _fold(self, pipe: Pipeline, batch: Sequence[Stored]) -> None:
        if self.in_fold is not None:
            await self.in_fold()
        for stored in batch:
            pipe.rpush(items_key(stored.partition), stored.value)

    async def _applied(self, batch: Sequence[Stored]) -> None:
        self.taken.add(batch[0].partition)
        self.told += [(stored.partition, stored.offset) for stored in batch]

    @asynccontextmanager
    async def living(self) -> AsyncIterator[View]:
        """The view runs, and is whole when the block begins."""
        async with running(self.view.run):
            await whole(self.view)
            yield self.view


def items_key(partition: Partition) -> str:
    return f"shop:items:{partition.index}"


async def put(ports: Ports, values: Iterable[int], partition: Partition = FIRST) -> None:
    for value in values:
        await ports.log.append(partition, b"%d" % value)


async def whole(view: View) -> None:
    await eventually(lambda: not view.lacks(), within_s=SOON_S, what="a view that lacks nothing")


async def reaches(ports: Ports, view: View, offset: int, partition: Partition = FIRST) -> None:
    """`reached` returns, while time passes."""
    waiting = ports.tasks.spawn(view.reached(partition, offset), name="reached")

    async def done() -> bool:
        await turned(ports).elapse(REACH_POLL_S)
        return waiting.done()

    await eventually(done, within_s=SOON_S, what="reached")
    await waiting


async def items(store: Redis, partition: Partition = FIRST) -> list[int]:
    return [int(raw) for raw in await store.lrange(items_key(partition), 0, -1)]


async def shows(store: Redis, values: Iterable[int], partition: Partition = FIRST) -> None:
    wanted = list(values)

    async def check() -> bool:
        found = await items(store, partition)
        assert found == wanted
        return True

    await eventually(check, within_s=SOON_S, what="the items")


async def position(store: Redis, view: View, partition: Partition = FIRST) -> bytes | None:
    stored = await store.get(view.position_key(partition))
    assert stored is None or isinstance(stored, bytes)
    return stored


async def dump(store: Redis) -> Dump:
    """All that is in the store."""
    found: Dump = {}
    for key in sorted(await store.keys("*")):
        is_list = await store.type(key) == b"list"
        found[key] = await store.lrange(key, 0, -1) if is_list else await store.get(key)
    return found
