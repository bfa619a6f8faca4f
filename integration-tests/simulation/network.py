"""What lies between the processes: distance, and signals that are lost, repeated and reordered."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Protocol, TypeVar

from libs.log.port import (
    Appended,
    Ends,
    Group,
    Log,
    Partition,
    Positions,
    Stored,
    Tail,
    TopicState,
)
from libs.testing.clock import LoopClock
from libs.wire.topics import SIGNALS, Topic

from .process import Process

T = TypeVar("T")

NEAR_S = 0.002
FAR_S = 1.5
FAR_SHARE = 0.03
LOST, REPEATED, LATE = 0.25, 0.15, 0.25


class Spawns(Protocol):
    """The world's own tasks: what is under way goes on when its sender dies."""

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]: ...


class Network:
    """Delays and mangling by dice; `is_calm` ends both."""

    def __init__(self, dice: Random, tasks: Spawns) -> None:
        self.is_calm = False
        self.clock = LoopClock()
        self.tasks = tasks
        self._dice = dice

    async def travel(self) -> None:
        """Go from one process to another: mostly near, sometimes far."""
        is_far = not self.is_calm and self._dice.random() < FAR_SHARE
        await self.clock.sleep(self._dice.uniform(0, FAR_S if is_far else NEAR_S))

    def mangle(self, batch: Sequence[Stored], held: list[Stored]) -> Sequence[Stored]:
        """What of a batch arrives now; `held` is what comes with a later one."""
        if self.is_calm:
            return batch
        arrives = [stored for stored in held if self._dice.random() < 0.5]
        held[:] = [stored for stored in held if stored not in arrives]
        for stored in batch:
            draw = self._dice.random()
            if draw < LOST:
                continue
            if draw < LOST + LATE:
                held.append(stored)
                continue
            arrives += [stored] * (2 if draw < LOST + LATE + REPEATED else 1)
        self._dice.shuffle(arrives)
        return arrives


class RemoteLog:
    """The log as one process sees it, over the network."""

    def __init__(self, inner: Log, network: Network, process: Process) -> None:
        self._inner = inner
        self._network = network
        self._process = process

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        """See the port. What was sent arrives, also when its sender has died."""
        self._process.check()
        sent = self._carry(partition, value, key)
        return await asyncio.shield(self._network.tasks.spawn(sent, name="append"))

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        """See the port."""
        return await self._ask(lambda: self._inner.read(partition, start, limit=limit))

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        """See the port."""
        return await self._ask(lambda: self._inner.ends(partitions))

    async def offsets_at(
        self, partitions: Iterable[Partition], at_ms: int
    ) -> Mapping[Partition, int]:
        """See the port."""
        return await self._ask(lambda: self._inner.offsets_at(partitions, at_ms))

    @asynccontextmanager
    async def tail(self, starts: Mapping[Partition, int]) -> AsyncIterator[Tail]:
        """See the port."""
        self._process.check()
        async with self._inner.tail(starts) as tail:
            yield _RemoteTail(tail, self._network)

    @asynccontextmanager
    async def group(
        self, name: str, topics: Sequence[Topic], positions: Positions
    ) -> AsyncIterator[Group]:
        """See the port."""
        self._process.check()
        async with self._inner.group(name, topics, positions) as group:
            yield _RemoteGroup(group, self._network, self._process)

    async def trim(self, partition: Partition, first: int) -> None:
        """See the port."""
        await self._ask(lambda: self._inner.trim(partition, first))

    async def create_topics(self, topics: Iterable[Topic]) -> None:
        """See the port."""
        await self._ask(lambda: self._inner.create_topics(topics))

    async def describe(self, topic: str) -> TopicState:
        """See the port."""
        return await self._ask(lambda: self._inner.describe(topic))

    async def close(self) -> None:
        """The log outlives its clients."""

    async def _carry(self, partition: Partition, value: bytes, key: bytes) -> Appended:
        await self._network.travel()
        try:
            return await self._inner.append(partition, value, key=key)
        finally:
            await self._network.travel()

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        self._process.check()
        await self._network.travel()
        answer = await call()
        await self._network.travel()
        return answer


class _RemoteTail:
    def __init__(self, inner: Tail, network: Network) -> None:
        self._inner = aiter(inner)
        self._network = network
        self._held: dict[Partition, list[Stored]] = {}

    def __aiter__(self) -> AsyncIterator[Sequence[Stored]]:
        return self

    async def __anext__(self) -> Sequence[Stored]:
        while True:
            batch = await anext(self._inner)
            await self._network.travel()
            if batch[0].partition.topic == SIGNALS.name:
                held = self._held.setdefault(batch[0].partition, [])
                batch = self._network.mangle(batch, held)
            if batch:
                return batch


class _RemoteGroup(_RemoteTail):
    def __init__(self, inner: Group, network: Network, process: Process) -> None:
        super().__init__(inner, network)
        self._member = inner
        self._process = process

    def assigned(self) -> frozenset[Partition]:
        return self._member.assigned()

    async def commit(self, partition: Partition, position: int) -> None:
        self._process.check()
        await self._network.travel()
        await self._member.commit(partition, position)
