"""The process: opens the ports, builds services, serves, waits for a signal, drains, ends.

One TaskGroup owns every task. What a loop or server raises ends the process with that error: an
orchestrator starts it anew, and everything it kept can be rebuilt.
"""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from libs.log.open import open_log
from libs.log.port import Log
from libs.runtime.admin import admin_app
from libs.runtime.calls import Caller
from libs.runtime.clock import SystemClock
from libs.runtime.identity import Signer
from libs.runtime.logging import configure, logger
from libs.runtime.secrets import Secrets, entropy, random_key
from libs.runtime.service import AnyService, Loop, Ports, Running
from libs.runtime.settings import ProcessSettings
from libs.runtime.tasks import GroupTasks
from libs.store import open_store
from libs.wire import ids

ADMIN_OFFSET = 1_000
# Parked polls are answered by the drain; what is still open after this is cut.
SHUTDOWN_S = 5
BACKLOG = 4_096
READY_POLL_S = 0.02

_log = logger("process")


@dataclass(frozen=True)
class Seat:
    """A service in this process: its settings, where it listens (None: called in process only)."""

    name: str
    service: AnyService
    settings: Any
    listen: tuple[str, int] | None


@dataclass(frozen=True)
class Plan:
    """What this process runs. `addresses` names every service of the suite; `admin_port` is the
    admin listener's; `greeting` is printed once everything is ready."""

    settings: ProcessSettings
    seats: Sequence[Seat]
    addresses: Mapping[str, str]
    admin_port: int
    greeting: str


def run(plan: Plan) -> None:
    """Run until SIGTERM or SIGINT, then drain and return. Raises what a service could not survive."""
    configure(plan.settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(plan))


class _Server(uvicorn.Server):
    """A listener that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _main(plan: Plan) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock = SystemClock()
    log = await open_log(log_url(plan.settings), now_ms=clock.now_ms)
    try:
        async with asyncio.TaskGroup() as group:
            await _live(plan, log, GroupTasks(group), stop)
    finally:
        await log.close()


async def _live(plan: Plan, log: Log, tasks: GroupTasks, stop: asyncio.Event) -> None:
    store = open_store(plan.settings.store_url)
    callers: list[Caller] = []
    running: dict[str, Running] = {}
    secrets = Secrets(plan.settings.data / "secrets", may_make=is_embedded(plan.settings))
    signer = Signer(secrets.get("identity.key", random_key))
    clock = SystemClock()
    for seat in plan.seats:
        calls = Caller(seat.name, signer=signer, clock=clock, addresses=plan.addresses)
        callers.append(calls)
        ports = Ports(
            log=log,
            store=store,
            calls=calls,
            clock=clock,
            tasks=tasks,
            signer=signer,
            secrets=secrets,
            new_id=partial(_new_id, clock),
        )
        running[seat.name] = seat.service.build(seat.settings, ports)
    for calls in callers:
        for name, built in running.items():
            calls.attach(name, built.app)
    servers = [
        _server(running[seat.name].app, *seat.listen) for seat in plan.seats if seat.listen
    ]
    lacks = {name: built.lacks for name, built in running.items()}
    servers.append(_server(admin_app(lacks), plan.settings.host, plan.admin_port))
    loops = [
        tasks.spawn(_forever(loop), name=f"{name}.{what}")
        for name, built in running.items()
        for what, loop in built.loops.items()
    ]
    serving = [tasks.spawn(server.serve(), name="listener") for server in servers]
    greeting = tasks.spawn(_greet(plan.greeting, running), name="greeting")
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    await stop.wait()
    _log.info("draining", seconds=plan.settings.drain_s)
    await asyncio.gather(*(built.drain() for built in running.values()))
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving)
    for task in [*loops, greeting]:
        task.cancel()
    for calls in callers:
        await calls.close()
    await store.aclose()
    _log.info("stopped")


async def _forever(loop: Loop) -> None:
    await loop()


async def _greet(greeting: str, running: Mapping[str, Running]) -> None:
    while any(built.lacks() for built in running.values()):
        await asyncio.sleep(READY_POLL_S)
    print(greeting, flush=True)


def _server(app: ASGIApp, host: str, port: int) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="none",
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
    )


def is_embedded(settings: ProcessSettings) -> bool:
    """Whether the log is this process's own file."""
    return log_url(settings).startswith("sqlite:")


def log_url(settings: ProcessSettings) -> str:
    """The log's address, with the embedded default filled in."""
    return settings.log_url or f"sqlite:///{settings.data / 'rostrum.db'}"


def _new_id(clock: SystemClock) -> str:
    return ids.fresh(clock.now_ms(), entropy(ids.ENTROPY_BYTES))
