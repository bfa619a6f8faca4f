"""The topics of a deployment as its log has them, and which partitions of the pools are taken."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from libs.log.port import Inspection, Partition, UnknownTopic
from libs.runtime.clock import SystemClock
from libs.runtime.directory import DirectoryReader
from libs.wire.directory import Directory
from libs.wire.topics import DIRECTORY, POOLS_MAX, TOPICS, WARM_UP, Topic, pool, pool_number


@dataclass(frozen=True)
class Seen:
    """A topic of the table and what the log says of it. `partitions` is None of one that is not
    there; `taken` counts the partitions that channels have, of pools only."""

    topic: Topic
    partitions: int | None
    breaches: Sequence[str]
    settings: Mapping[str, str]
    records: int = 0
    taken: int | None = None


async def survey(log: Inspection, *, is_embedded: bool) -> list[Seen]:
    """Every topic that there should be and every pool that there is, in the order of the table.
    Raises `LogError`."""
    wanted = TOPICS if is_embedded else (*TOPICS, WARM_UP)
    seen = list(await asyncio.gather(*(_look(log, topic) for topic in wanted)))
    pools = [each async for each in _pools(log)]
    is_readable = any(each.topic is DIRECTORY and each.partitions for each in seen)
    known = await directory(log) if pools and is_readable else Directory()
    return [*seen, *(replace(each, taken=_taken(known, each)) for each in pools)]


async def directory(log: Inspection) -> Directory:
    """Which channel has which place, to the present end. Raises `LogError`, `Problem`."""
    reader = DirectoryReader(log, SystemClock())
    await reader.refresh()
    return reader.fold


def partitions_of(topic: str, count: int) -> Iterator[Partition]:
    """All partitions of a topic."""
    return (Partition(topic, index) for index in range(count))


async def _pools(log: Inspection) -> AsyncIterator[Seen]:
    for number in range(POOLS_MAX):
        try:
            size = (await log.describe(pool(number, 1).name)).partitions
        except UnknownTopic:
            return
        yield await _look(log, pool(number, size))


async def _look(log: Inspection, topic: Topic) -> Seen:
    try:
        state = await log.describe(topic.name)
        breaches = await log.breaches(topic)
        ends = await log.ends(partitions_of(topic.name, state.partitions))
    except UnknownTopic:
        return Seen(topic, None, ["it is not there"], {})
    records = sum(each.next - each.first for each in ends.values())
    return Seen(topic, state.partitions, breaches, state.settings, records)


def _taken(known: Directory, seen: Seen) -> int:
    return len(known.taken(pool_number(seen.topic.name)))
