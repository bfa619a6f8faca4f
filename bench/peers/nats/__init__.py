"""NATS: subjects, here over its WebSocket listener and without JetStream."""

import socket
from collections.abc import Sequence
from pathlib import Path

from bench.peers.peer import Peer, payload
from bench.starting import wait_until_open
from bench.ways import Hear, Listening, Say, Way
from deploy.kafka.properties import free_ports
from deploy.local.program import Program

SUBJECT = "bench"
CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"protocol":1,"lang":"c","version":"1"}\r\n'
# It says INFO first, and PONG when all that was said before was done.
STEPS: list[Say | Hear] = [Say(f"{CONNECT}SUB {SUBJECT} 1\r\nPING\r\n"), Hear("PONG")]
ANSWER_S = 60.0
SPARE = 100


class Nats(Peer):
    """One server."""

    name = "NATS"
    folder_name = "nats"
    ways = frozenset({Way.JSON})

    def command(self, folder: Path) -> Sequence[str]:
        """See `Peer`."""
        server = self.path_of("nats-server")
        self._port, self._socket_port, monitor = free_ports(3)
        settings = self.configured(
            "nats.conf",
            folder,
            port=self._port,
            socket_port=self._socket_port,
            monitor_port=monitor,
            connections=self.connections + SPARE,
        )
        return [server, "-c", settings]

    def wait_until_ready(self, program: Program) -> None:
        """See `Peer`."""
        wait_until_open(program, self._port, self._socket_port)

    def listening(self, way: Way, connections: int) -> Listening:
        """See `Contestant`."""
        return Listening(
            way,
            [f"127.0.0.1:{self._socket_port}"],
            "/",
            after=self.next_id - 1,
            steps=STEPS,
            replies=[("PING", "PONG\r\n")],
        )

    def send(self, way: Way) -> None:
        """See `Contestant`. A publisher of its own, which waits until the server took it."""
        message = payload(way, self.next_id)
        text = b"%sPUB %s %d\r\n%s\r\nPING\r\n" % (
            CONNECT.encode(),
            SUBJECT.encode(),
            len(message),
            message,
        )
        with socket.create_connection(("127.0.0.1", self._port), ANSWER_S) as publisher:
            publisher.sendall(text)
            heard = b""
            while b"PONG" not in heard:
                part = publisher.recv(4_096)
                if not part:
                    raise ConnectionError(f"NATS refused the publisher: {heard!r}")
                heard += part
        self.next_id += 1
