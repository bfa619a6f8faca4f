"""A running suite as in production: a process for each instance, real Kafka, real Redis.

It is the only one at its broker: topics and consumer groups have one name everywhere.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType

import httpx
import pytest
import redis

from deploy.kafka.child import LOOPBACK, Home
from deploy.kafka.distribution import CannotStart
from deploy.kafka.node import Node
from deploy.local import servers
from deploy.local.layout import Layout, Seat, is_ready
from deploy.local.program import Program
from harness.cuts import CannotCut, Network
from harness.ease import EASE
from harness.ports import free_port
from libs.log.kafka.tests.broker import a_broker, brokers, wait_until_it_answers
from libs.testing.eventually import eventually
from libs.testing.lacking import lacking
from libs.wire.services import GATEWAY

START_S = 60.0
STOP_S = 15.0
# Of what each process printed, in a failure's message.
TAIL_CHARACTERS = 2_000


@dataclass
class Servers:
    """What a cluster stands on. `nodes` and `redis` are empty where they were given from outside:
    tests that kill and pause them ask for own ones."""

    bootstrap: str
    redis_url: str
    nodes: Sequence[Node] = ()
    redis: Program | None = None
    network: Network | None = None


@dataclass
class Cluster:
    """`instances` of each service (of some as many as `counts` says) and so many `gateways`, each
    of so many `workers` (0: of one process). Enter it to start; leaving kills it."""

    folder: Path
    servers: Servers
    instances: int = 2
    gateways: int = 1
    settings: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    workers: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "log_url": servers.log_url(self.servers.bootstrap),
            "store_url": self.servers.redis_url,
            "data": str(self.folder),
            **EASE,
            **self.settings,
        }
        make = partial(
            Layout,
            instances=self.instances,
            gateways=self.gateways,
            settings=settings,
            counts=self.counts,
            workers=self.workers,
        )
        network = self.servers.network
        if network is not None:
            unplaced = make(0)
            make = partial(
                make, homes={seat: network.home(unplaced.name_of(seat)) for seat in unplaced.seats}
            )
        self.layout = make(free_port(lambda port: make(port).ports()))
        self.programs = {
            seat: self.layout.program(seat, self.folder, inherit=False)
            for seat in self.layout.seats
        }

    @property
    def port(self) -> int:
        """The first gateway's."""
        return self.layout.port

    @property
    def url(self) -> str:
        """The first gateway's."""
        return self.layout.url()

    @property
    def urls(self) -> list[str]:
        """Those of all gateways."""
        return [self.layout.url(GATEWAY, at) for at in range(self.gateways)]

    @property
    def admin_url(self) -> str:
        """The first gateway's."""
        return self.layout.admin_url()

    async def __aenter__(self) -> "Cluster":
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        """Start what does not run, and wait until each says that it is ready."""
        await self._start([seat for seat, each in self.programs.items() if each.pid is None])

    async def start_one(self, service: str, instance: int = 0) -> None:
        """Start one instance, and wait until it says that it is ready."""
        await self._start([(service, instance)])

    async def kill(self, service: str | None = None, instance: int = 0) -> None:
        """kill -9 of one instance; of everything when none is named."""
        for program in self._of(service, instance):
            program.kill()

    async def stop(self, service: str | None = None, instance: int = 0) -> int:
        """SIGTERM to one instance, or to all. Returns the first exit code that is not 0, or 0."""
        programs = self._of(service, instance)
        for program in programs:
            program.ask_to_end()
        await eventually(
            lambda: all(program.pid is None for program in programs),
            within_s=STOP_S,
            what="what was asked to end has ended",
        )
        return next(filter(None, (program.wait(0) for program in programs)), 0)

    def pause(self, service: str, instance: int = 0) -> None:
        """It stands still: connections stay open and nothing is answered."""
        self.programs[service, instance].pause()

    def resume(self, service: str, instance: int = 0) -> None:
        """It goes on."""
        self.programs[service, instance].resume()

    def cut(self, one: "Seat | str", other: "Seat | str") -> None:
        """No packet passes between two processes, either way: seats such as `("chat", 0)`, or
        "redis", "broker-1" (to 3). Raises `CannotCut` in a cluster without a network."""
        self._network().cut(self._name(one), self._name(other))

    def heal(self) -> None:
        """What was cut is whole again; broken connections are made anew by who needs them."""
        self._network().heal()

    def flush_redis(self) -> None:
        """Redis forgets everything."""
        with contextlib.closing(redis.Redis.from_url(self.servers.redis_url)) as client:
            client.flushall()

    async def lacks(self, service: str, instance: int = 0) -> list[str]:
        """What an instance says that it lacks."""
        async with httpx.AsyncClient() as client:
            url = f"{self.layout.admin_url(service, instance)}/health/ready"
            told = (await client.get(url)).json()["lacks"]
        return [lack for lacks in told.values() for lack in lacks]

    def logs(self) -> str:
        """The end of what each process printed."""
        tails = [
            f"{each.name}:\n{each.tail()[-TAIL_CHARACTERS:]}" for each in self.programs.values()
        ]
        return "\n".join(tails)

    def _network(self) -> Network:
        if self.servers.network is None:
            raise CannotCut("this cluster is on loopback: make its servers with a network")
        return self.servers.network

    def _name(self, who: Seat | str) -> str:
        return who if isinstance(who, str) else self.layout.name_of(who)

    def _of(self, service: str | None, instance: int) -> list[Program]:
        if service is None:
            return list(self.programs.values())
        return [self.programs[service, instance]]

    async def _start(self, seats: Sequence[Seat]) -> None:
        for seat in seats:
            self.programs[seat].start()
        for seat in seats:
            await eventually(
                partial(_is_ready, self.programs[seat]),
                within_s=START_S,
                every_s=0.02,
                what=f"{self.layout.name_of(seat)} is ready ({self.programs[seat].output})",
            )


def _is_ready(program: Program) -> bool:
    try:
        return is_ready(program)
    except CannotStart as fault:
        # A service that ends is a failure, never a reason to skip as a missing broker is.
        pytest.fail(str(fault))


@contextlib.asynccontextmanager
async def healed(cluster: Cluster) -> AsyncIterator[Cluster]:
    """A cluster that others use after you: what was killed or paused runs again at the end."""
    try:
        yield cluster
    finally:
        for program in cluster.programs.values():
            program.resume()
        await cluster.start()


@contextlib.contextmanager
def servers_of(
    folder: Path, *, nodes: int = 0, network: Network | None = None
) -> Iterator[Servers]:
    """A broker (`KAFKA_BOOTSTRAP`, else a container, else Maven's) and a Redis (`REDIS_URL`, else
    `redis-server`); with `nodes`, so many brokers and a Redis of our own, to be killed, and in a
    `network` to be cut off, as "broker-1" and "redis". What is
    missing skips, with its package's name; with `CI=true` it fails."""
    with contextlib.ExitStack() as ending:
        given = "" if nodes else os.environ.get("REDIS_URL", "")
        redis_program, redis_url = (None, given) if given else _redis(folder, network)
        if redis_program is not None:
            ending.callback(redis_program.kill)
        if nodes:
            homes = [_home(network, f"broker-{at + 1}") for at in range(nodes)]
            own = ending.enter_context(brokers(folder / "nodes", homes))
            yield Servers(own.bootstrap, redis_url, own.nodes, redis_program, network)
        else:
            bootstrap, _ = ending.enter_context(a_broker(folder / "nodes"))
            wait_until_it_answers(bootstrap)
            yield Servers(bootstrap, redis_url, redis=redis_program)


def _home(network: Network | None, name: str) -> Home:
    return LOOPBACK if network is None else network.home(name)


def _redis(folder: Path, network: Network | None) -> tuple[Program, str]:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        program, url = servers.redis(folder, _home(network, "redis"))
    except CannotStart as error:
        lacking(f"no Redis: {error}")
    program.start()
    servers.wait_for_redis(url)
    return program, url
