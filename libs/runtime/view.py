"""A service's view: topics of the log folded into Redis, to be thrown away and built again.

The position of each partition is written in the same MULTI as the batch it belongs to, under WATCH
of the position: a member of the group that lost the partition finds it moved and writes nothing.
So the stored position decides where to go on, and a flushed Redis is a view at position 0.

What is to happen after a batch is in (`applied`) happens at least once: how far it has come is
stored beside the position, and whoever is given the partition next begins with what is left.

Whoever reads the view asks `settled` with the position that it read together with the data: below
the goal (the end at start, or the highest position seen) what is missing is unknown, not absent.
Every instance looks at all positions once in `WATCH_S`, also at those that others write: so a flush
is noticed when nothing is appended, and an instance that only reads knows how far the view was.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from libs.log.port import READ_RECORDS_MAX, Group, LogError, Partition, Stored
from libs.runtime.logging import logger
from libs.runtime.service import Ports
from libs.runtime.tasks import until_one_ends
from libs.store import Pipeline, StoreUnavailable, WatchError
from libs.wire.codes import OutcomeUnknown
from libs.wire.topics import Topic

Fold = Callable[[Pipeline, Sequence[Stored]], Awaitable[None]]
Applied = Callable[[Sequence[Stored]], Awaitable[None]]

# A change is acknowledged when the view has it; after this the author is told to ask again.
REACH_S_MAX = 2.0
REACH_POLL_S = 0.002
# How often the stored positions are compared with what was written, so that a flush is noticed.
WATCH_S = 1.0
RETRY_S = 0.5
# Without a partition an instance says for so long that it waits for one: longer than the group
# waits for members that died (6 s). After that it is one too many, which is no fault.
GIVEN_S_MAX = 15.0

_log = logger("view")


def position_key(service: str, partition: Partition) -> str:
    """The key of the position of a service's view."""
    return f"{service}:view:{partition.topic}:{partition.index}"


def applied_key(service: str, partition: Partition) -> str:
    """The key of the position up to which a service's `applied` was told."""
    return f"{service}:applied:{partition.topic}:{partition.index}"


def group_name(service: str) -> str:
    """The group that shares a view's partitions. It commits what the view has, some time later."""
    return f"{service}.view"


class _Moved(Exception):
    """The stored position is not what this member wrote last."""


class View:
    """One service's view over `topics`.

    `fold` queues the writes of a batch (records of one partition, in order) and may be called again
    with the same batch; `applied` is told after the batch is in, of each record once or more.
    """

    def __init__(
        self,
        service: str,
        topics: Sequence[Topic],
        fold: Fold,
        *,
        ports: Ports,
        applied: Applied | None = None,
    ) -> None:
        self._service = service
        self._topics = topics
        self._fold = fold
        self._ports = ports
        self._applied = applied
        self._every = [
            Partition(topic.name, index) for topic in topics for index in range(topic.partitions)
        ]
        self._group: Group | None = None
        self._waits_until_s = 0.0
        # What this member stored last. Only that may be compared before it writes on.
        self._mine: dict[Partition, int] = {}
        # The stored position as last seen, whoever wrote it.
        self._seen: dict[Partition, int] = {}
        self._goals: dict[Partition, int] = {}
        # Below it `applied` was told of all.
        self._told: dict[Partition, int] = {}
        self._fault: str | None = "has not begun"

    def position_key(self, partition: Partition) -> str:
        """Where the position of a partition is stored; read it in one go with the data."""
        return position_key(self._service, partition)

    def applied_key(self, partition: Partition) -> str:
        """Where it is stored up to which position `applied` was told."""
        return applied_key(self._service, partition)

    def settled(self, partition: Partition, stored: bytes | None) -> bool:
        """Whether the data read with this position are all there: what is missing is absent."""
        position = int(stored or 0)
        if partition not in self._goals:
            return False
        self._see(partition, max(position, self._seen.get(partition, 0)))
        return position >= self._goals[partition]

    def lacks(self) -> list[str]:
        """Why the view cannot be relied on yet."""
        if self._fault is not None:
            return [f"view: {self._fault}"]
        if self._waits():
            return ["view: its group gave it no partition yet"]
        behind = sum(self._goals[part] > at for part, at in self._seen.items())
        return [f"view: {behind} partitions are being read"] if behind else []

    def told(self) -> Mapping[Partition, int]:
        """The partitions that are this member's now, each with the position below which all is in
        the view and `applied` was told of it. None while the view waits for log or Redis."""
        if self._group is None:
            return {}
        return {part: self._told[part] for part in self._group.assigned() if part in self._told}

    async def reached(self, partition: Partition, offset: int) -> None:
        """Return when the record at `offset` is in the view. Raises `OutcomeUnknown` after
        `REACH_S_MAX` seconds: it is in the log and will count."""
        clock = self._ports.clock
        until = clock.monotonic() + REACH_S_MAX
        while not await self._has(partition, offset):
            if clock.monotonic() > until:
                raise OutcomeUnknown(
                    "outcome_unknown",
                    "the change is written, but does not show yet; send it again to see",
                    retry_after_s=1,
                )
            await clock.sleep(REACH_POLL_S)

    async def run(self) -> None:
        """Fold for ever; faults of log and Redis are waited out."""
        while True:
            pause_s = 0.0
            try:
                await self._membership()
            except _Moved:
                self._fault = "its position in Redis moved"
            except (LogError, StoreUnavailable) as fault:
                self._fault = str(fault)
                _log.warning("view waits", service=self._service, fault=self._fault)
                pause_s = RETRY_S
            await self._ports.clock.sleep(pause_s)

    async def _membership(self) -> None:
        """Be a member of the group until something moves or fails."""
        for partition, ends in (await self._ports.log.ends(self._every)).items():
            self._goals[partition] = max(self._goals.get(partition, 0), ends.next)
        self._mine, self._told = {}, {}
        self._seen = await self._stored(self._every)
        name = group_name(self._service)
        async with self._ports.log.group(name, self._topics, self._positions) as group:
            self._group, self._fault = group, None
            self._waits_until_s = self._ports.clock.monotonic() + GIVEN_S_MAX
            try:
                await until_one_ends(self._follow(group), self._notice_flush(), name=name)
            finally:
                self._group = None

    def _waits(self) -> bool:
        if self._group is None or self._group.assigned():
            return False
        return self._ports.clock.monotonic() < self._waits_until_s

    async def _follow(self, group: Group) -> None:
        async for batch in group:
            await self._take(batch)
            await group.commit(batch[0].partition, batch[-1].offset + 1)

    async def _notice_flush(self) -> None:
        while True:
            await self._ports.clock.sleep(WATCH_S)
            seen = dict(self._seen)
            stored = await self._stored(self._every)
            if any(stored[partition] < at for partition, at in seen.items()):
                raise _Moved
            for partition, position in stored.items():
                self._see(partition, max(position, self._seen[partition]))
            await self._pass_holes()

    async def _pass_holes(self) -> None:
        # Compaction may take the last records of a partition away (tombstones that were read by
        # then): its end is never reached by reading, only by seeing that nothing is left.
        for partition, position in list(self._mine.items()):
            goal = self._goals[partition]
            if position < goal and not await self._ports.log.read(partition, position, limit=1):
                await self._store(partition, goal)
                # Not while a batch below is being told.
                if self._told.get(partition) == position:
                    self._told[partition] = goal

    async def _positions(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        # Asked for what is new only: what this member has already goes on as it is.
        stored = await self._stored(partitions)
        self._mine.update(stored)
        for partition, position in stored.items():
            await self._apply_rest(partition, position)
            self._told[partition] = position
        return stored

    async def _apply_rest(self, partition: Partition, until: int) -> None:
        """Tell of what is in the view, and was not told of when its last owner died."""
        if self._applied is None:
            return
        told = await self._ports.store.get(self.applied_key(partition))
        start = until if told is None else int(told)
        while start < until:
            batch = await self._ports.log.read(partition, start, limit=READ_RECORDS_MAX)
            rest = [stored for stored in batch if stored.offset < until]
            start = rest[-1].offset + 1 if rest else until
            await self._tell(partition, start, rest)

    async def _tell(self, partition: Partition, position: int, batch: Sequence[Stored]) -> None:
        if self._applied is not None:
            if batch:
                await self._applied(batch)
            await self._ports.store.set(self.applied_key(partition), position)
        self._told[partition] = position

    def _see(self, partition: Partition, position: int) -> None:
        self._seen[partition] = position
        self._goals[partition] = max(self._goals[partition], position)

    async def _take(self, batch: Sequence[Stored]) -> None:
        partition, position = batch[0].partition, batch[-1].offset + 1
        await self._store(partition, position, batch)
        await self._tell(partition, position, batch)

    async def _store(
        self, partition: Partition, position: int, batch: Sequence[Stored] = ()
    ) -> None:
        """Write a batch and the position after it, or the position alone, in one go."""
        key = self.position_key(partition)
        async with self._ports.store.pipeline(transaction=True) as pipe:
            await pipe.watch(key)
            if int(await pipe.get(key) or 0) != self._mine[partition]:
                raise _Moved
            pipe.multi()  # type: ignore[no-untyped-call]
            if self._applied is not None:
                pipe.set(self.applied_key(partition), self._mine[partition], nx=True)
            if batch:
                await self._fold(pipe, batch)
            pipe.set(key, position)
            try:
                await pipe.execute()
            except WatchError as fault:
                raise _Moved from fault
        self._mine[partition] = position
        self._see(partition, position)

    async def _stored(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        wanted = list(partitions)
        if not wanted:
            return {}
        values = await self._ports.store.mget([self.position_key(part) for part in wanted])
        return {part: int(value or 0) for part, value in zip(wanted, values, strict=True)}

    async def _has(self, partition: Partition, offset: int) -> bool:
        if self._seen.get(partition, 0) > offset:
            return True
        if self._group is not None and partition in self._group.assigned():
            return False
        try:
            return (await self._stored([partition]))[partition] > offset
        except StoreUnavailable:
            # The record is in the log: the author must not hear that nothing was done.
            return False
