"""Everything in its order: broker and Redis, then services, until told to end or until one dies."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn, TextIO

from deploy.kafka.distribution import CannotStart
from deploy.kafka.node import Node
from deploy.local import servers
from deploy.local.layout import Layout, is_ready
from deploy.local.program import Program
from deploy.local.view import View

# A start takes about 10 s on two cores; a machine under load may need several times that.
START_S = 120.0
# A drain lasts a second and connections are cut five later; one that takes longer is killed.
STOP_S = 20.0
LOOK_EVERY_S = 0.05


@dataclass(frozen=True)
class Wanted:
    """`redis` (a URL) and `kafka` (`host:port`) are used where they are given, else started."""

    port: int
    data: Path
    instances: int
    redis: str
    kafka: str


class Up:
    """The suite of a `Wanted`, with its log on `out`."""

    def __init__(self, wanted: Wanted, out: TextIO) -> None:
        self._wanted = wanted
        self._out = out
        self._logs = wanted.data / "logs"
        self._running: list[tuple[str, Program | Node]] = []
        names = Layout(wanted.port, wanted.instances).names()
        self._width = max(map(len, names))
        self._view = View({}, out, self._width)

    def run(self) -> NoReturn:
        """Run until interrupted. Raises `CannotStart` for what did not start or died."""
        began = time.monotonic()
        self._logs.mkdir(parents=True, exist_ok=True)
        for old in self._logs.glob("*.log"):
            old.unlink()
        with ExitStack() as ending:
            # Last in, first out: services end before what they stand on.
            bootstrap, redis = self._start_servers(ending)
            layout = self._start_services(ending, servers.log_url(bootstrap), redis)
            took_s = time.monotonic() - began
            self._say(
                f"All ready after {took_s:.1f} s: Rostrum listens on {layout.url()} (documented "
                f"at {layout.url()}/docs), health on {layout.admin_url()}/health/ready"
            )
            self._until(lambda: False)
        raise AssertionError("unreachable: it runs until it is interrupted")

    def _start_servers(self, ending: ExitStack) -> tuple[str, str]:
        bootstrap, redis = self._wanted.kafka, self._wanted.redis
        if not redis:
            program, redis = servers.redis(self._logs)
            ending.callback(_end, [program])
            self._running.append((program.name, program))
        if not bootstrap:
            self._say("Preparing the broker (the first time this brings its jars) ...")
            node = servers.broker(self._wanted.data / "kafka")
            ending.callback(node.stop)
            self._running.append(("broker", node))
            bootstrap = node.address
        self._look()
        for _, each in self._running:
            each.start()
        self._until(lambda: servers.brokers_known(bootstrap) > 0, f"the broker at {bootstrap}")
        self._until(lambda: servers.redis_answers(redis), "Redis")
        return bootstrap, redis

    def _start_services(self, ending: ExitStack, log_url: str, redis: str) -> Layout:
        wanted = self._wanted
        settings = {"log_url": log_url, "store_url": redis, "data": str(wanted.data.resolve())}
        layout = Layout(wanted.port, wanted.instances, settings=settings)
        programs = [layout.program(seat, self._logs, inherit=True) for seat in layout.seats]
        self._running += [(program.name, program) for program in programs]
        self._look()
        ending.callback(self._end_services, programs)
        for program in programs:
            program.start()
        for program in programs:
            self._until(partial(is_ready, program), program.name)
        return layout

    def _end_services(self, programs: Sequence[Program]) -> None:
        _end(programs)
        self._view.show()

    def _until(self, is_so: Callable[[], bool], what: str = "") -> None:
        deadline = time.monotonic() + START_S
        while not is_so():
            self._view.show()
            dead = [(name, each) for name, each in self._running if each.pid is None]
            if dead:
                name, each = dead[0]
                raise CannotStart(f"{name} ended; its last lines:\n{each.tail()}")
            if what and time.monotonic() > deadline:
                raise CannotStart(f"{what} is not ready within {START_S:.0f} s")
            time.sleep(LOOK_EVERY_S)
        self._view.show()

    def _look(self) -> None:
        self._view.show()
        outputs = {name: each.output for name, each in self._running}
        self._view = View(outputs, self._out, self._width)

    def _say(self, line: str) -> None:
        self._view.show()
        print(line, file=self._out, flush=True)


def _end(programs: Sequence[Program]) -> None:
    for program in programs:
        program.ask_to_end()
    deadline = time.monotonic() + STOP_S
    for program in programs:
        program.wait(max(deadline - time.monotonic(), 0.0))
