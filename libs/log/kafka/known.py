"""Which topics are known to exist, so that an append to one that does not is refused at once and
not after the driver's patience."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from libs.log.kafka.desk import Desk
from libs.log.port import Partition, UnknownTopic
from libs.wire.topics import Topic


class Partitioned(Protocol):
    """Who knows how many partitions a topic has."""

    def partitions(self, topic: str) -> int:
        """Blocks. Raises `UnknownTopic`."""


class KnownTopics:
    """Partitions never grow fewer, so what was seen once counts; what was not is asked for."""

    def __init__(self, admin: Partitioned, desk: Desk) -> None:
        self._admin = admin
        self._desk = desk
        self._counts: dict[str, int] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    def learn(self, topics: Iterable[Topic]) -> None:
        """These exist."""
        self._counts.update({topic.name: topic.partitions for topic in topics})

    async def check(self, partition: Partition) -> None:
        """Raises `UnknownTopic` for one that does not exist, `LogUnavailable`."""
        if partition.index < 0:
            raise UnknownTopic(f"{partition.topic} has no partition {partition.index}")
        if partition.index >= self._counts.get(partition.topic, 0):
            await self._ask(partition.topic, more_than=partition.index)
        if partition.index >= self._counts[partition.topic]:
            raise UnknownTopic(f"{partition.topic} has no partition {partition.index}")

    async def _ask(self, topic: str, *, more_than: int = 0) -> None:
        """Many that meet a topic at once ask once."""
        lock = self._asking.setdefault(topic, asyncio.Lock())
        try:
            async with lock:
                if self._counts.get(topic, 0) <= more_than:
                    found = await self._desk.do(lambda: self._admin.partitions(topic))
                    self._counts[topic] = found
        finally:
            if not lock.locked():
                self._asking.pop(topic, None)
