"""Starts the suite for a run: data of brokers in memory, each process under its own group id."""

import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from deploy.kafka.cluster import Cluster as Brokers
from deploy.kafka.cluster import archive_classes
from deploy.kafka.distribution import Distribution
from deploy.kafka.node import Node
from deploy.local import servers
from deploy.local.layout import ADMIN_OFFSET
from faults.cuts import Side, under
from faults.plan import INSTANCES
from faults.site import NODES, Site
from harness.cluster import Cluster, Servers

MEMORY_BYTES, DISK_BYTES = 4 << 30, 256 << 20
NICE = "-10"
BROKER_GID, PROGRAM_GID = 20_001, 20_101
# Small pools, so that channels are in several; passwords cost little, as they are not what is
# looked at here; everybody posts faster than people may.
SETTINGS = {
    "group_membership_pool_partitions": "4",
    "session_hash_memory_kib": "8192",
    "session_hash_passes": "1",
}


class Grouped(Distribution):
    """Starts brokers under a group id, and before all else that wants to run: their controllers
    elect within a second, which they cannot where they wait for a core as long as that."""

    def __init__(self, gid: int) -> None:
        super().__init__()
        self._gid = gid

    def command(self, main: str, *arguments: str, flags: Sequence[str] = ()) -> list[str]:
        """As without the group."""
        return [
            "nice",
            "-n",
            NICE,
            *under(self._gid),
            *super().command(main, *arguments, flags=flags),
        ]


@contextlib.asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Site]:
    """A site that is ready, with its logs below `folder`. Needs root. Raises `CannotStart`."""
    with brokers_on_disks(folder / "brokers") as (brokers, disk):
        redis, url = servers.redis(folder)
        redis.start()
        servers.wait_for_redis(url)
        stands_on = Servers(brokers.bootstrap, url, brokers.nodes, redis)
        cluster = Cluster(
            folder / "cluster",
            stands_on,
            instances=INSTANCES,
            gateways=INSTANCES,
            settings=SETTINGS,
        )
        site = Site(cluster, brokers, disk)
        site.know(redis, Side(0, [urlsplit(url).port or 0]))
        for at, node in enumerate(brokers.nodes):
            ports = [node.place.port, node.place.controller_port]
            site.know(node, Side(BROKER_GID + at, ports))
        for gid, (seat, program) in enumerate(cluster.programs.items(), start=PROGRAM_GID):
            program.start_under(*under(gid))
            port = cluster.layout.port_of(*seat)
            site.know(program, Side(gid, [port, port + ADMIN_OFFSET]))
        async with cluster:
            try:
                yield site
            finally:
                redis.kill()


@contextlib.contextmanager
def brokers_on_disks(folder: Path) -> Iterator[tuple[Brokers, Path]]:
    """Three brokers with their data in memory, as what is killed is a process and not the machine:
    a disk that others use as well is slower than the timeouts of controllers. The last one has a
    small disk for itself, whose folder is given. Raises `CannotStart`."""
    distribution = Distribution()
    distribution.bring()
    archive_classes(distribution)
    folder.mkdir(parents=True)
    with contextlib.ExitStack() as ending:
        memory, disk = folder / "memory", folder / "memory" / "disk"
        _mount(ending, memory, MEMORY_BYTES)
        _mount(ending, disk, DISK_BYTES)
        brokers = Brokers(distribution, memory / "nodes", NODES)
        brokers.nodes = [
            Node(Grouped(BROKER_GID + at), place, place.data.parent)
            for at, place in enumerate(brokers.places)
        ]
        ending.callback(brokers.end)
        brokers.format()
        for node in brokers.nodes:
            node.output = folder / f"broker-{node.place.id}.log"
        data = brokers.places[-1].data
        shutil.move(data, disk / "data")
        data.symlink_to(disk / "data")
        brokers.start()
        yield brokers, disk


def _mount(ending: contextlib.ExitStack, folder: Path, size: int) -> None:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "faults", folder], check=True)
    # Lazily: a process that is about to die may still hold a file.
    ending.callback(lambda: subprocess.run(["umount", "-l", folder], check=True))
