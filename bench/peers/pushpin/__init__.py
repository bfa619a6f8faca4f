"""Pushpin: holds connections for a backend that says by HTTP what they wait for."""

import json
import time
from collections.abc import Sequence
from contextlib import closing
from http.client import OK, HTTPConnection
from pathlib import Path

from bench.desk import Desk
from bench.peers.peer import Peer, payload
from bench.starting import is_open, wait_until
from bench.ways import Listening, Way
from deploy.kafka.properties import free_ports
from deploy.local.program import Program

# The backend that Pushpin has built in for trials: it subscribes everybody to one channel, which
# spares it the way to a real one.
BACKEND = "* test\n"
CHANNEL = "test"
PATHS = {Way.POLL: "/response", Way.JSON: "/ws", Way.SSE: "/stream"}
ANSWER_S = 1.0
SUBSCRIBED = b"[handler] subscribe "
# A second after a channel has its first subscriber, all who poll there are asked for anew at the
# backend, which would have kept what they missed. This one keeps nothing: who is amid that when a
# message comes never gets it, so nobody is sent one before the log is quiet for longer.
QUIET_S = 1.2


class Pushpin(Peer):
    """Pushpin with condure in front, all on one CPU. As shipped it writes 2,500 messages a second
    and no more (`message_rate`), which is what its wakes take."""

    name = "pushpin"
    folder_name = "pushpin"
    ways = frozenset(PATHS)
    remembers = False
    # Above it answers some with 500, "Accept service unavailable".
    connects_per_s = 300.0

    def command(self, folder: Path) -> Sequence[str]:
        """See `Peer`."""
        pushpin = self.path_of("pushpin")
        self.path_of("condure")
        self._port, publish, push, command = free_ports(4)
        self._ready_ports = (self._port, publish)
        self.desk = Desk(publish)
        (folder / "run").mkdir()
        (folder / "routes").write_text(BACKEND, "utf-8")
        settings = self.configured(
            "pushpin.conf",
            folder,
            folder=folder,
            port=self._port,
            publish_port=publish,
            push_port=push,
            command_port=command,
            libdir="{libdir}",
        )
        return [pushpin, "--config", settings, "--merge-output"]

    def wait_until_ready(self, program: Program) -> None:
        """See `Peer`."""
        wait_until(program, lambda: all(map(is_open, self._ready_ports)) and self._lets_in())

    def _lets_in(self) -> bool:
        """Its parts find each other a moment after they listen. Until then it refuses, and some
        are never answered."""
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)) as somebody:
            try:
                somebody.request("GET", PATHS[Way.SSE])
                return somebody.getresponse().status == OK
            except OSError:
                return False

    def listening(self, way: Way, connections: int) -> Listening:
        """See `Contestant`."""
        self._subscribed_before = self._subscribed()
        self._noted(self._subscribed_before)
        target = f"127.0.0.1:{self._port}"
        return Listening(way, [target], PATHS[way], after=self.next_id - 1)

    def has_settled(self, connections: int) -> bool:
        """See `Contestant`. Its log has a line for each who is subscribed, also for the second
        time (`QUIET_S`)."""
        subscribed = self._subscribed()
        if subscribed != self._subscribed_last:
            self._noted(subscribed)
        is_quiet = time.monotonic() - self._changed_s > QUIET_S
        return is_quiet and subscribed - self._subscribed_before >= connections

    def _noted(self, subscribed: int) -> None:
        self._subscribed_last, self._changed_s = subscribed, time.monotonic()

    def _subscribed(self) -> int:
        assert self._program is not None
        return self._program.output.read_bytes().count(SUBSCRIBED)

    def send(self, way: Way) -> None:
        """See `Contestant`."""
        text = payload(way, self.next_id).decode()
        formats = {
            Way.POLL: {"http-response": {"body": text}},
            Way.JSON: {"ws-message": {"content": text}},
            Way.SSE: {"http-stream": {"content": f"data: {text}\n\n"}},
        }
        item = {"channel": CHANNEL, "formats": formats[way]}
        self.publish("/publish/", json.dumps({"items": [item]}).encode())
