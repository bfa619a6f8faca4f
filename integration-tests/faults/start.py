"""Starts the suite for a run, each process in a network namespace of its own."""

import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from deploy.kafka.child import Home
from deploy.kafka.cluster import Cluster as Brokers
from deploy.kafka.cluster import archive_classes
from deploy.kafka.distribution import Distribution
from deploy.local import servers
from faults.plan import INSTANCES, REDIS
from faults.site import NODES, Site
from harness.cluster import Cluster, Servers
from harness.cuts import Network, network

DISK_BYTES = 256 << 20
BROKERS_DATA = "data-of-brokers"
NICE = "-10"
# Small pools, so that channels are in several; passwords cost little, as they are not what is
# looked at here; everybody posts faster than people may.
SETTINGS = {
    "group_membership_pool_partitions": "4",
    "session_hash_memory_kib": "8192",
    "session_hash_passes": "1",
}


@contextlib.asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Site]:
    """A site that is ready, with its logs below `folder`. Needs root. Raises `CannotStart`."""
    with network() as net, brokers_on_disks(folder / "brokers", net) as (brokers, disk):
        redis, url = servers.redis(folder, net.home(REDIS))
        redis.start()
        servers.wait_for_redis(url)
        cluster = Cluster(
            folder / "cluster",
            Servers(brokers.bootstrap, url, brokers.nodes, redis, net),
            instances=INSTANCES,
            gateways=INSTANCES,
            settings=SETTINGS,
        )
        async with cluster:
            try:
                yield Site(cluster, brokers, disk)
            finally:
                redis.kill()


@contextlib.contextmanager
def brokers_on_disks(folder: Path, net: Network) -> Iterator[tuple[Brokers, Path]]:
    """Three brokers, of which the last has a small disk for itself, whose folder is given. Raises
    `CannotStart`."""
    distribution = Distribution()
    distribution.bring()
    archive_classes(distribution)
    folder.mkdir()
    with contextlib.ExitStack() as ending:
        homes = [_first(net.home(f"broker-{at + 1}")) for at in range(NODES)]
        brokers = Brokers(distribution, folder / BROKERS_DATA, homes)
        disk = folder / BROKERS_DATA / "disk"
        _mount(ending, disk, DISK_BYTES)
        ending.callback(brokers.end)
        brokers.format()
        for node in brokers.nodes:
            node.output = folder / f"broker-{node.place.id}.log"
        data = brokers.places[-1].data
        shutil.move(data, disk / "data")
        data.symlink_to(disk / "data")
        brokers.start()
        yield brokers, disk


def _first(home: Home) -> Home:
    """Before all else that wants to run: controllers elect within a second, which they cannot where
    they wait for a core as long as that."""
    return Home(home.host, ("nice", "-n", NICE, *home.before))


def _mount(ending: contextlib.ExitStack, folder: Path, size: int) -> None:
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "faults", folder], check=True)
    # Lazily: a process that is about to die may still hold a file.
    ending.callback(lambda: subprocess.run(["umount", "-l", folder], check=True))
