"""Which service runs how often, on which ports, with which settings."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.kafka.child import LOOPBACK, Home
from deploy.local.program import Program
from libs.runtime.settings import PREFIX, environment, variable
from libs.wire.services import GATEWAY
from services.catalog import CATALOG, NAMES

ROOT = Path(__file__).parents[2]
# Instances are so far apart; the admin listeners are 1,000 above, so nine fit in between.
INSTANCE_STEP = 100
INSTANCES_MAX = 9
ADMIN_OFFSET = 1_000
# A process says one of these when it is ready.
READY = (" ready on port ", "Rostrum listens on ")

Seat = tuple[str, int]


@dataclass(frozen=True)
class Layout:
    """`port` is that of the first gateway; `instances` of each service, `gateways` of them, and of
    some services as many as `counts` says. A gateway has so many `workers` on its port; with 0 it
    is one process. Whoever has no home among `homes` is on loopback."""

    port: int
    instances: int = 1
    gateways: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    homes: Mapping[Seat, Home] = field(default_factory=dict)
    workers: int = 0

    @property
    def seats(self) -> list[Seat]:
        """Every process, as service and instance (from 0)."""
        return [(name, at) for name in NAMES for at in range(self._count(name))]

    def names(self) -> list[str]:
        """What the log view calls each process: numbered only where there are several."""
        return [self.name_of(seat) for seat in self.seats]

    def port_of(self, service: str, instance: int = 0) -> int:
        """The port of an instance."""
        offset = next(entry.port_offset for entry in CATALOG if entry.name == service)
        return self.port + offset + INSTANCE_STEP * instance

    def ports(self) -> list[int]:
        """All ports that are listened on."""
        own = [self.port_of(*seat) for seat in self.seats]
        return own + [port + ADMIN_OFFSET for port in own]

    def url(self, service: str = GATEWAY, instance: int = 0) -> str:
        """Where an instance answers."""
        return f"http://{self._home((service, instance)).host}:{self.port_of(service, instance)}"

    def admin_url(self, service: str = GATEWAY, instance: int = 0) -> str:
        """Where an instance tells its health."""
        home = self._home((service, instance))
        return f"http://{home.host}:{self.port_of(service, instance) + ADMIN_OFFSET}"

    def program(self, seat: Seat, logs: Path, *, inherit: bool) -> Program:
        """The process of a seat. `inherit`: settings in this process's environment count."""
        wanted = {
            **self.settings,
            "port": str(self.port),
            "own_port": str(self.port_of(*seat)),
            "addresses": self._addresses(),
            "make_secrets": "true",
        }
        if seat in self.homes:
            wanted["host"] = self.homes[seat].host
        dropped = [] if inherit else [name for name in environment() if name.startswith(PREFIX)]
        command = [
            *self._home(seat).before,
            # Handed over by `env`, which becomes the program: same process, same parent.
            *("env", "-C", str(ROOT)),
            *(word for name in dropped for word in ("-u", name)),
            *(f"{variable('', name)}={value}" for name, value in wanted.items()),
            *(sys.executable, "-m", "services", seat[0]),
        ]
        if seat[0] == GATEWAY and self.workers:
            command += ["--workers", str(self.workers)]
        name = self.name_of(seat)
        return Program(name, command, logs / f"{name}.log")

    def name_of(self, seat: Seat) -> str:
        """What the log view calls the process of a seat."""
        service, instance = seat
        return f"{service}-{instance + 1}" if self._count(service) > 1 else service

    def _home(self, seat: Seat) -> Home:
        return self.homes.get(seat, LOOPBACK)

    def _count(self, service: str) -> int:
        usual = self.gateways if service == GATEWAY else self.instances
        return self.counts.get(service, usual)

    def _addresses(self) -> str:
        urls: dict[str, list[str]] = {}
        for service, instance in self.seats:
            urls.setdefault(service, []).append(self.url(service, instance))
        return ",".join(f"{service}={' '.join(each)}" for service, each in urls.items())


def is_ready(program: Program) -> bool:
    """Whether a service's process said so. Raises `CannotStart` when it ended."""
    return program.has_said(*READY)
