"""Heartbeats: once a second the owner of each source says in a topic of changes that it lives and
has told all, so that those who follow the topic know quiet from dead.

A source is a partition of a topic whose changes are told (`Topic.sources`). Its owner is the member
of the view's group that has it. A beat says that all that was in the source when the owner looked
is in the view and was told; it carries the time of that look. So an owner that died, hangs, is
behind, or lost log or Redis falls silent, and what it did not tell cannot be taken for nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from libs.log.port import Log, LogError, Partition
from libs.runtime.clock import Clock
from libs.runtime.logging import logger
from libs.wire.records import Heartbeat, encode
from libs.wire.topics import Topic

# A few of them fit into the silence after which followers doubt (`changes.SILENT_S`).
BEAT_S = 1.0
# After a fault of the log: a leader's death takes 2 to 3 s of that silence already.
RETRY_S = 0.5

_log = logger("beats")


class Tells(Protocol):
    """A view, as far as beats are concerned."""

    def told(self) -> Mapping[Partition, int]:
        """Owned partitions, each with the position below which all was told."""


class _Look(NamedTuple):
    at_ms: int
    ends: Mapping[Partition, int]


def sources_of(topic: Topic) -> list[Partition]:
    """Whose beats are in a topic of changes."""
    return [
        Partition(source.name, index)
        for source in topic.sources
        for index in range(source.partitions)
    ]


def beat_place(topic: Topic, source: Partition) -> Partition:
    """Where a source beats. Each partition of `topic` has one: none is cut off unnoticed."""
    return Partition(topic.name, source.index % topic.partitions)


class Beats:
    """The beats in `topic` of the sources that are this member's in the view's group."""

    def __init__(self, log: Log, clock: Clock, view: Tells, topic: Topic) -> None:
        self._log = log
        self._clock = clock
        self._view = view
        self._topic = topic
        self._sources = sources_of(topic)
        self._last = _Look(0, {})

    async def run(self) -> None:
        """Beat for ever; faults of the log are waited out."""
        while True:
            pause_s = BEAT_S
            try:
                await self.beat()
            except LogError as fault:
                _log.warning("beats wait", topic=self._topic.name, fault=str(fault))
                pause_s = RETRY_S
            await self._clock.sleep(pause_s)

    async def beat(self) -> None:
        """Look once, and write what is due. Raises `LogError`; what could be written is."""
        looks = [await self._look(), self._last]
        self._last = looks[0]
        # All at once, so that the log takes them in one go.
        ended = await asyncio.gather(*map(self._write, self._due(looks)), return_exceptions=True)
        faults = [one for one in ended if isinstance(one, BaseException)]
        if faults:
            raise faults[0]

    async def _look(self) -> _Look:
        """How far the log is in what is owned."""
        at_ms, told = self._clock.now_ms(), self._view.told()
        owned = [source for source in self._sources if source in told]
        ends = await self._log.ends(owned) if owned else {}
        return _Look(at_ms, {source: each.next for source, each in ends.items()})

    def _due(self, looks: Sequence[_Look]) -> list[Heartbeat]:
        """Of each source that has told all of a look, with the time of the newest such one. Where
        much is written something is always on its way: it has told all of the last look."""
        told = self._view.told()
        newest: dict[Partition, int] = {}
        for at_ms, ends in looks:
            for source, end in ends.items():
                if told.get(source, -1) >= end:
                    newest.setdefault(source, at_ms)
        return [
            Heartbeat(topic=source.topic, partition=source.index, at_ms=at_ms)
            for source, at_ms in newest.items()
        ]

    async def _write(self, beat: Heartbeat) -> None:
        place = beat_place(self._topic, Partition(beat.topic, beat.partition))
        await self._log.append(place, encode(beat))
