"""Floors: the same bytes to as many connections with no logic behind, in C and in bare asyncio."""

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.build import program
from bench.contestant import Contestant, pids_of, processes_for
from bench.desk import Desk
from bench.messages import written
from bench.results import FLOOR
from bench.starting import wait_until_said
from bench.ways import Count, Listening, Way
from deploy.kafka.properties import free_ports
from deploy.local.program import Program

ROOT = Path(__file__).parents[2]
PATHS = {Way.POLL: "/poll", Way.JSON: "/ws", Way.PACKED: "/ws", Way.SSE: "/sse"}
READY = "ready on port"


class Floor(Contestant):
    """A server without logic for up to `connections`, in as many processes as they need."""

    ways = frozenset(Way)
    remembers = False

    def __init__(
        self, name: str, command: Sequence[str], *, cpu: int | None, connections: int
    ) -> None:
        super().__init__(cpu)
        self.name = name
        self._command = command
        self._processes = processes_for(connections)
        self._programs: list[Program] = []
        self._desks: list[Desk] = []

    def start(self, folder: Path) -> None:
        """See `Contestant`."""
        folder.mkdir(parents=True, exist_ok=True)
        ports = free_ports(2 * self._processes)
        self._ports, self._controls = ports[::2], ports[1::2]
        self._programs = [
            Program(
                f"{self.name} {port}",
                self.pinned([*self._command, str(port), str(control)]),
                folder / f"floor-{port}.log",
            )
            for port, control in zip(self._ports, self._controls, strict=True)
        ]
        for each in self._programs:
            each.start()
        for each in self._programs:
            wait_until_said(each, READY)
        self._desks = [Desk(control) for control in self._controls]

    def stop(self) -> None:
        """See `Contestant`."""
        for desk in self._desks:
            desk.close()
        for each in self._programs:
            each.kill()

    def listening(self, way: Way, connections: int) -> Listening:
        """See `Contestant`."""
        return Listening(
            way,
            [f"127.0.0.1:{port}" for port in self._ports],
            PATHS[way],
            after=self.next_id - 1,
            counts=[Count(f"127.0.0.1:{control}", "/", "parked") for control in self._controls],
            is_packed=way is Way.PACKED,
        )

    def send(self, way: Way) -> None:
        """See `Contestant`."""
        body = written(way, self.next_id)
        for desk in self._desks:
            desk.post("/wake", body)
        self.next_id += 1

    def pids(self) -> Sequence[int]:
        """See `Contestant`."""
        return pids_of(self._programs)


def in_c(cpu: int | None, connections: int) -> Floor:
    """One `send` a descriptor, in C."""
    return Floor(FLOOR, [str(program("floor"))], cpu=cpu, connections=connections)


def in_python(cpu: int | None, connections: int) -> Floor:
    """One `transport.write` a connection, on asyncio with uvloop."""
    command = ["env", "-C", str(ROOT), sys.executable, "-m", "bench.floors.bare"]
    return Floor("bare asyncio", command, cpu=cpu, connections=connections)
