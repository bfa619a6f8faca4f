"""socket.io on Node: rooms over WebSocket."""

from collections.abc import Sequence
from pathlib import Path

from bench.desk import Desk
from bench.peers.peer import HERE, INSTALLED, Peer, payload
from bench.starting import wait_until_said
from bench.ways import Hear, Listening, Say, Way
from deploy.kafka.distribution import CannotStart
from deploy.kafka.properties import free_ports
from deploy.local.program import Program

READY = "ready on port"
MODULES = INSTALLED / "socketio" / "node_modules"
PATH = "/socket.io/?EIO=4&transport=websocket"
# Packets of Engine.IO: 0 opens, 40 joins the namespace and is answered with 40, 2 and 3 are beats.
STEPS: list[Say | Hear] = [Hear("0{"), Say("40"), Hear("40{")]
BEAT = ("2", "3")


class SocketIo(Peer):
    """One process of Node."""

    name = "socket.io"
    folder_name = "socketio"
    ways = frozenset({Way.JSON})

    def command(self, folder: Path) -> Sequence[str]:
        """See `Peer`."""
        node = self.path_of("node")
        if not (MODULES / "socket.io").exists():
            raise CannotStart("socket.io is missing: run bench/peers/socketio/install")
        self._port, control = free_ports(2)
        self.desk = Desk(control)
        server = str(HERE / "socketio" / "server.js")
        return ["env", f"NODE_PATH={MODULES}", node, server, str(self._port), str(control)]

    def wait_until_ready(self, program: Program) -> None:
        """See `Peer`."""
        wait_until_said(program, READY)

    def listening(self, way: Way, connections: int) -> Listening:
        """See `Contestant`."""
        return Listening(
            way,
            [f"127.0.0.1:{self._port}"],
            PATH,
            after=self.next_id - 1,
            steps=STEPS,
            replies=[BEAT],
        )

    def send(self, way: Way) -> None:
        """See `Contestant`."""
        self.publish("/", payload(way, self.next_id))
