"""What a batch causes outside of the view comes at least once, whoever dies when."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any, cast

from libs.log.faults import FaultyLog, Script
from libs.log.port import Group, Log, Partition, Positions, Stored
from libs.runtime.service import Ports
from libs.runtime.tests.shelf import items_key, put, shows, whole
from libs.runtime.tests.world import SOON_S, THINGS, running, world
from libs.runtime.view import View
from libs.store import Pipeline, Redis
from libs.testing.eventually import eventually
from libs.wire.topics import Topic

VALUES = list(range(6))
PARTITIONS = [Partition(THINGS.name, index) for index in range(2)]
# Of each of two batches: MULTI, effects of three records, how far they came, commit.
LEAST_STEPS = 2 * (2 + 4 + 2 + 2)


class Life:
    """Counts the steps of an instance, each before and after it had its effect; at the step `end`
    nothing of the instance goes on."""

    def __init__(self, end: int | None = None) -> None:
        self.steps = 0
        self.is_over = asyncio.Event()
        self._end = end

    async def step(self) -> None:
        self.steps += 1
        if self.steps == self._end:
            self.is_over.set()
        if self.is_over.is_set():
            await asyncio.Event().wait()

    @asynccontextmanager
    async def around(self) -> AsyncIterator[None]:
        await self.step()
        yield
        await self.step()


class Batch:
    """A MULTI of a mortal instance."""

    def __init__(self, inner: Pipeline, life: Life) -> None:
        self._inner = inner
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def __aenter__(self) -> "Batch":
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._inner.reset()  # type: ignore[no-untyped-call]

    async def execute(self) -> list[Any]:
        async with self._life.around():
            return list(await self._inner.execute())


class Store:
    """Redis of a mortal instance."""

    def __init__(self, inner: Redis, life: Life) -> None:
        self._inner = inner
        self._life = life

    def pipeline(self, *, transaction: bool) -> Batch:
        return Batch(self._inner.pipeline(transaction=transaction), self._life)

    async def get(self, key: str) -> Any:
        async with self._life.around():
            return await self._inner.get(key)

    async def mget(self, keys: Sequence[str]) -> Any:
        async with self._life.around():
            return await self._inner.mget(keys)

    async def set(self, key: str, value: int) -> None:
        async with self._life.around():
            await self._inner.set(key, value)


class Member:
    """A mortal member of the group."""

    def __init__(self, inner: Group, life: Life) -> None:
        self._inner = inner
        self._life = life

    def __aiter__(self) -> AsyncIterator[Sequence[Stored]]:
        return aiter(self._inner)

    def assigned(self) -> frozenset[Partition]:
        return self._inner.assigned()

    async def commit(self, partition: Partition, position: int) -> None:
        async with self._life.around():
            await self._inner.commit(partition, position)


class MortalLog(FaultyLog):
    """The log of a mortal instance."""

    def __init__(self, inner: Log, life: Life) -> None:
        super().__init__(inner, Script())
        self._life = life

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        async with self._life.around():
            return await super().read(partition, start, limit=limit)

    @asynccontextmanager
    async def group(
        self, name: str, topics: Sequence[Topic], positions: Positions
    ) -> AsyncIterator[Group]:
        async def mortal(partitions: Sequence[Partition]) -> Mapping[Partition, int]:
            async with self._life.around():
                return await positions(partitions)

        async with super().group(name, topics, mortal) as inner:
            yield Member(inner, self._life)


class Effects:
    """What all instances caused, each after the view had it."""

    def __init__(self, store: Redis) -> None:
        self.values: set[int] = set()
        self._store = store

    async def fold(self, pipe: Pipeline, batch: Sequence[Stored]) -> None:
        """Queues the writes of a batch."""
        for stored in batch:
            pipe.rpush(items_key(stored.partition), stored.value)

    def view(self, ports: Ports, life: Life) -> View:
        """The view of an instance with that life."""

        async def applied(batch: Sequence[Stored]) -> None:
            has = await self._store.lrange(items_key(batch[0].partition), 0, -1)
            for stored in batch:
                await life.step()
                assert stored.value in has, "caused before the view has it"
                self.values.add(int(stored.value))
            await life.step()

        mortal = replace(
            ports,
            log=MortalLog(ports.log, life),
            store=cast(Redis, Store(ports.store, life)),
        )
        return View("shop", [THINGS], self.fold, ports=mortal, applied=applied)


async def lived(ports: Ports, effects: Effects, end: int | None) -> Life:
    """An instance that takes all there is, or until it dies."""
    life = Life(end)
    view = effects.view(ports, life)
    async with running(view.run):
        await eventually(
            lambda: life.is_over.is_set() or (not view.lacks() and effects.values >= set(VALUES)),
            within_s=SOON_S,
            what="a death, or everything",
        )
    return life


async def test_whoever_dies_between_two_steps_leaves_no_record_without_effect() -> None:
    """The first dies at every step that there is, the second at any, the third goes on."""
    end = 0
    is_over = True
    while is_over:
        end += 1
        async with world() as ports:
            effects = Effects(ports.store)
            for value in VALUES:
                await put(ports, [value], PARTITIONS[value % 2])
            is_over = (await lived(ports, effects, end)).is_over.is_set()
            await lived(ports, effects, Random(end).randrange(1, end + 1))
            await lived(ports, effects, None)
            for index in range(2):
                await shows(ports.store, VALUES[index::2], PARTITIONS[index])
    assert end > LEAST_STEPS


async def test_an_effect_that_came_comes_not_again_with_the_next_instance() -> None:
    async with world() as ports:
        effects = Effects(ports.store)
        await put(ports, VALUES)
        await lived(ports, effects, None)
        effects.values.clear()
        view = effects.view(ports, Life())
        async with running(view.run):
            await whole(view)
            await put(ports, [6])
            await eventually(lambda: effects.values == {6}, within_s=SOON_S, what="the new one")
