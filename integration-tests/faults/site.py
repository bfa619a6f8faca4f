"""The suite under test: three brokers (one on a small disk), a Redis, two of each service; who is
meant by a role, and whether all is well."""

import asyncio
import contextlib
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.kafka import ask
from deploy.kafka.cluster import Cluster as Brokers
from deploy.kafka.node import Node
from deploy.local.program import Program
from faults.plan import CONTROLLER, FOLLOWER, LEADER, REDIS
from harness.cluster import Cluster
from libs.testing.eventually import eventually
from libs.wire.topics import pool

NODES = 3
MIB = bytes(1 << 20)
ASK_S = 2.0
WELL_S = 120.0
END_S = 20.0


class Site:
    """Roles are resolved when a fault begins: who leads most channels, who is the controller."""

    def __init__(self, cluster: Cluster, brokers: Brokers, disk: Path) -> None:
        self.cluster = cluster
        self.brokers = brokers
        self.redis = cluster.servers.redis
        self._ballast = disk / "ballast"
        self._admin = AdminClient({"bootstrap.servers": brokers.bootstrap})

    async def find(self, target: str) -> Node | Program:
        """The process that a target means now."""
        if target == REDIS:
            assert self.redis is not None
            return self.redis
        if target == CONTROLLER:
            return self._node(await asyncio.to_thread(self._controller))
        if target in (LEADER, FOLLOWER):
            return self._node(await asyncio.to_thread(self._leader, at=target == LEADER))
        service, _, at = target.partition("/")
        return self.cluster.programs[service, int(at)]

    async def end(self, process: Node | Program) -> None:
        """SIGTERM, and wait; one that does not end in time is killed."""
        if isinstance(process, Node):
            await asyncio.to_thread(process.stop)
        else:
            process.ask_to_end()
            await asyncio.to_thread(process.wait, END_S)

    @property
    def small(self) -> Node | Program:
        """The broker that lives on the small disk."""
        return self.brokers.nodes[-1]

    def fill(self) -> None:
        """Leave no room on the small disk."""
        with contextlib.suppress(OSError), self._ballast.open("wb", buffering=0) as ballast:
            while True:
                ballast.write(MIB)

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink()

    def cut(self, one: str, other: str) -> None:
        """No packet passes between the two of these names."""
        self.cluster.cut(one, other)

    def heal(self) -> None:
        """Everybody reaches everybody."""
        self.cluster.heal()

    def flush(self) -> None:
        """Redis forgets everything."""
        self.cluster.flush_redis()

    async def is_well(self) -> None:
        """Return when everything is ready and every replica is in sync. A service that ended, as
        one does that cannot reach the log at its start, is started again, as orchestrators do.
        Raises `AssertionError` after `WELL_S` for each."""
        await eventually(
            self._replicas_are_whole, within_s=WELL_S, every_s=0.25, what="replicas are in sync"
        )
        for seat in self.cluster.programs:
            await eventually(
                partial(self._is_ready, *seat),
                within_s=WELL_S,
                every_s=0.1,
                what=f"{seat} is ready",
            )

    def _node(self, at: int) -> Node:
        return self.brokers.nodes[at - 1]

    def _leader(self, *, at: bool) -> int:
        """Who leads most channels; or who leads fewest."""
        topics = self._topics()
        name = pool(0, 1).name
        leads = Counter({node.place.id: 0 for node in self.brokers.nodes})
        leads.update(each.leader for each in topics[name].partitions.values() if each.leader > 0)
        ranked = leads.most_common()
        return ranked[0][0] if at else ranked[-1][0]

    def _controller(self) -> int:
        for node in self.brokers.nodes:
            with contextlib.suppress(OSError):
                return ask.controller(node.place.home.host, node.place.port, ASK_S)
        raise AssertionError("no broker says who the controller is")

    def _topics(self) -> dict[str, Any]:
        return self._admin.list_topics(timeout=ASK_S).topics

    async def _replicas_are_whole(self) -> bool:
        try:
            topics = await asyncio.to_thread(self._topics)
        except KafkaException as fault:
            raise AssertionError(f"the brokers do not answer: {fault}") from fault
        lacking = {
            f"{name}-{at}": f"leader {each.leader}, in sync {each.isrs}"
            for name, topic in topics.items()
            for at, each in topic.partitions.items()
            if len(each.isrs) < NODES
        }
        assert not lacking, f"{len(lacking)} partitions, such as {dict(list(lacking.items())[:5])}"
        return True

    async def _is_ready(self, service: str, at: int) -> bool:
        self.cluster.programs[service, at].start()
        url = f"{self.cluster.layout.admin_url(service, at)}/health/ready"
        try:
            async with httpx.AsyncClient(timeout=ASK_S) as client:
                answer = await client.get(url)
        except httpx.HTTPError as fault:
            raise AssertionError(repr(fault)) from fault
        assert answer.status_code == 200, answer.text
        return True
