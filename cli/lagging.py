"""How far views and followers are behind the log, gathered from where each keeps its position."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import click

from cli.address import Where
from cli.instances import Instance, instances
from libs.log.port import Inspection, Partition
from libs.runtime.clock import SystemClock
from libs.runtime.positions import METRIC
from libs.runtime.settings import shown
from libs.runtime.view import applied_key, group_name, position_key
from libs.runtime.visit import Away, Visitor
from libs.store import Redis, StoreUnavailable, open_store
from libs.wire.topics import VIEWS

# What a position is of: the rows of a view, what was announced of them, what follows in memory.
VIEW, TOLD, FOLLOWER = "view", "told", "tail"


class Position(NamedTuple):
    """Where a reader of a partition is. `seen` says where that was read: `redis`, `log` (committed
    some time after the view has it), or the admin listener of an instance (`host:port`)."""

    service: str
    kind: str
    seen: str
    partition: Partition
    position: int


class Lag(NamedTuple):
    """A position against the end of its partition."""

    at: Position
    end: int

    @property
    def behind(self) -> int:
        """Records to go."""
        return max(self.end - self.at.position, 0)


@dataclass
class Look:
    """Everything that was found at one moment, and what could not be seen, in words."""

    lags: list[Lag] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)


async def look(where: Where, log: Inspection, visitor: Visitor) -> Look:
    """Positions first, ends after: what comes meanwhile makes nobody look further than they are.
    Raises `LogError`."""
    found = Look()
    positions = [
        *await _of_views(where, log, found),
        *await _of_followers(where, visitor, found),
    ]
    ends = await log.ends({each.partition for each in positions})
    found.lags = [Lag(each, ends[each.partition].next) for each in positions]
    return found


async def _of_views(where: Where, log: Inspection, found: Look) -> list[Position]:
    if where.store_url:
        try:
            return await _stored(where.store_url)
        except StoreUnavailable as fault:
            found.away.append(f"Redis at {shown(where.store_url)} does not answer: {fault}")
    elif not where.is_embedded:
        found.away.append(
            "no Redis is named, with --redis or its variable, as the services have it"
        )
    else:
        found.unseen.append(
            "the Redis inside of the one process: positions of views are those that it committed"
        )
    return await _committed(log)


async def _stored(url: str) -> list[Position]:
    try:
        store = open_store(url)
    except ValueError as fault:
        raise click.UsageError(
            f"{shown(url)!r} names no Redis: write redis://host:port/0"
        ) from fault
    try:
        views = [each for service in VIEWS for each in await _stored_of(store, service)]
    finally:
        await store.aclose()
    return views


async def _stored_of(store: Redis, service: str) -> list[Position]:
    parts = list(_parts(service))
    positions = await store.mget([position_key(service, part) for part in parts])
    told = await store.mget([applied_key(service, part) for part in parts])
    views = [
        Position(service, VIEW, "redis", part, int(position or 0))
        for part, position in zip(parts, positions, strict=True)
    ]
    # A view that announces nothing has none of these.
    return views + [
        Position(service, TOLD, "redis", part, int(position))
        for part, position in zip(parts, told, strict=True)
        if position is not None
    ]


async def _committed(log: Inspection) -> list[Position]:
    found = []
    for service in VIEWS:
        parts = list(_parts(service))
        known = await log.committed(group_name(service), parts)
        ends = await log.ends(parts)
        found += [
            Position(service, VIEW, "log", part, known.get(part, ends[part].first))
            for part in parts
        ]
    return found


async def _of_followers(where: Where, visitor: Visitor, found: Look) -> list[Position]:
    there = await instances(where, visitor)
    found.away += [f"{each.name}: {each.away}" for each in there if each.away]
    asked = [each for each in there if not each.away]
    told = await asyncio.gather(*(_shown(visitor, each, found) for each in asked))
    return [position for positions in told for position in positions]


async def _shown(visitor: Visitor, instance: Instance, found: Look) -> Sequence[Position]:
    try:
        samples = await visitor.metrics(instance.admin_url)
    except Away as fault:
        found.away.append(f"{instance.name}: {fault}")
        return ()
    seen = instance.admin_url.removeprefix("http://")
    return [
        Position(labels["reader"], FOLLOWER, seen, _part(labels), int(value))
        for name, labels, value in samples
        if name == METRIC
    ]


def _part(labels: Mapping[str, str]) -> Partition:
    return Partition(labels["topic"], int(labels["partition"]))


def _parts(service: str) -> Iterable[Partition]:
    return (
        Partition(topic.name, index)
        for topic in VIEWS[service]
        for index in range(topic.partitions)
    )


async def looked(where: Where, log: Inspection) -> Look:
    """One look with a visitor of its own."""
    async with Visitor(SystemClock()) as visitor:
        return await look(where, log, visitor)
