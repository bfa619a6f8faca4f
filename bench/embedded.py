"""Our own deployment in one process as a contestant, started as operators start it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.contestant import pids_of
from bench.rostrum import SETTINGS, Rostrum
from bench.starting import is_open, wait_until_said
from deploy.kafka.properties import free_ports
from deploy.local.program import Program
from libs.runtime.settings import variable
from libs.wire.services import GATEWAY
from services.catalog import CATALOG

ROOT = Path(__file__).parents[1]
READY = "Rostrum listens on "
ADMIN_OFFSET = 1_000
PORT_TRIES = 50


class Embedded(Rostrum):
    """All services in one process, with their own log: `python -m services all`."""

    def __init__(self, cpu: int | None, settings: Mapping[str, str] = SETTINGS) -> None:
        super().__init__(cpu)
        self._settings = settings
        self._ending = ExitStack()

    def start(self, folder: Path) -> None:
        """See `Contestant`."""
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port(_ports)
        settings = {variable(GATEWAY, name): value for name, value in self._settings.items()}
        settings |= {variable("", "port"): str(port), variable("", "data"): str(folder)}
        self._program = Program(self.name, self._command(settings), folder / "rostrum.log")
        self._ending.callback(self._program.kill)
        self._program.start()
        wait_until_said(self._program, READY)
        self.targets = [f"127.0.0.1:{port}"]
        self._begin(folder, port, [f"127.0.0.1:{port + ADMIN_OFFSET}"])
        self._ending.callback(self.owner.close)

    def stop(self) -> None:
        """See `Contestant`."""
        self._ending.close()

    def pids(self) -> Sequence[int]:
        """See `Contestant`."""
        return pids_of([self._program])

    def _command(self, settings: Mapping[str, str]) -> list[str]:
        variables = (f"{name}={value}" for name, value in settings.items())
        run = (sys.executable, "-m", "services", "all")
        return self.pinned(["env", "-C", str(ROOT), *variables, *run])


def free_port(wanted: Callable[[int], Sequence[int]]) -> int:
    """A port with which all those are free that `wanted` says belong to it. Raises `OSError`."""
    for _ in range(PORT_TRIES):
        (port,) = free_ports(1)
        if not any(map(is_open, wanted(port))):
            return port
    raise OSError(f"no free ports of 127.0.0.1 that belong together in {PORT_TRIES} tries")


def _ports(port: int) -> list[int]:
    return [port + entry.port_offset for entry in CATALOG] + [port + ADMIN_OFFSET]
