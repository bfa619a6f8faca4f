"""nchan: long-poll, WebSocket and events inside of nginx."""

from collections.abc import Sequence
from pathlib import Path

from bench.contestant import processes_for
from bench.desk import Desk
from bench.peers.peer import Peer, payload
from bench.starting import wait_until_open
from bench.ways import Count, Listening, Way
from deploy.kafka.distribution import CannotStart
from deploy.kafka.properties import free_ports
from deploy.local.program import Program

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
DESCRIPTORS = 20_000


class Nchan(Peer):
    """nginx with one worker, or as many as the descriptors of so many connections need."""

    name = "nchan"
    folder_name = "nchan"
    ways = frozenset({Way.POLL, Way.JSON, Way.SSE})

    def __init__(self, cpu: int | None, connections: int) -> None:
        super().__init__(cpu, connections)
        self.processes = processes_for(connections)

    def command(self, folder: Path) -> Sequence[str]:
        """See `Peer`."""
        nginx = self.path_of("nginx")
        if not MODULE.exists():
            raise CannotStart("nginx has no nchan: run bench/peers/nchan/install")
        (self._port,) = free_ports(1)
        self.desk = Desk(self._port)
        settings = self.configured(
            "nginx.conf",
            folder,
            folder=folder,
            port=self._port,
            module=MODULE,
            processes=self.processes,
            descriptors=DESCRIPTORS,
        )
        return [nginx, "-p", str(folder), "-c", settings]

    def wait_until_ready(self, program: Program) -> None:
        """See `Peer`."""
        wait_until_open(program, self._port)

    def listening(self, way: Way, connections: int) -> Listening:
        """See `Contestant`. Where a poll goes on is in two headers of the last answer."""
        address = f"127.0.0.1:{self._port}"
        carried = [("Last-Modified", "If-Modified-Since"), ("Etag", "If-None-Match")]
        return Listening(
            way,
            [address],
            "/sub",
            after=self.next_id - 1,
            carried=carried if way is Way.POLL else [],
            counts=[Count(address, "/status", "subscribers")],
        )

    def send(self, way: Way) -> None:
        """See `Contestant`."""
        self.publish("/pub", payload(way, self.next_id))
