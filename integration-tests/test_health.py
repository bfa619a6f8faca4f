"""Health tells the truth: what stands still is named by whom it concerns, and no longer."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from harness.cluster import Cluster, servers_of
from libs.testing.eventually import eventually
from libs.wire.services import GATEWAY, GROUP_MEMBERSHIP, RELAY, SESSION
from services.catalog import NAMES

# A process asks the log each second and waits two for the answer; views look at Redis each second.
NOTICED_S = 20.0
# A broker that stood still lets members of groups in again after their session, six seconds.
WELL_S = 40.0


@pytest.mark.long
@pytest.mark.timeout(240)
def test_kafka_health_names_what_stands_still(tmp_path: Path) -> None:
    """A paused broker is named by every process, a paused Redis by those with views, a killed relay
    by the gateway; afterwards all are ready."""
    with servers_of(tmp_path / "servers", nodes=1) as own:
        asyncio.run(_outages(Cluster(tmp_path, own, 1)))


async def _outages(cluster: Cluster) -> None:
    async with cluster:
        (node,), redis = cluster.servers.nodes, cluster.servers.redis
        assert redis is not None
        node.pause()
        for service in NAMES:
            await _names(cluster, service, "log: ")
        node.resume()
        await _is_well(cluster)
        redis.pause()
        for service in (SESSION, GROUP_MEMBERSHIP):
            await _names(cluster, service, "view: ")
        redis.resume()
        await _is_well(cluster)
        await cluster.kill(RELAY)
        await _names(cluster, GATEWAY, "")
        await cluster.start_one(RELAY)
        await _is_well(cluster)


async def _names(cluster: Cluster, service: str, start: str) -> None:
    async def named() -> bool:
        return any(lack.startswith(start) for lack in await cluster.lacks(service))

    await eventually(named, within_s=NOTICED_S, what=f"{service} names what stands still")


async def _is_well(cluster: Cluster) -> None:
    async def lacks_nothing(service: str) -> bool:
        lacks = await cluster.lacks(service)
        assert lacks == []
        return True

    for service in NAMES:
        await eventually(
            partial(lacks_nothing, service), within_s=WELL_S, what=f"{service} is ready again"
        )
