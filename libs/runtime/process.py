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
from libs.wire.topics import TOPICS

ADMIN_OFFSET = 1_000
# Parked polls are answered by the drain; what is still open after this is cut.
SHUTDOWN_S = 5
BACKLOG = 4_096
READY_POLL_S = 0.02
# Young objects are many and short-lived here: the defaults would look more than they free.
GC_THRESHOLDS = (50_000, 20, 100)

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
    """Run until SIGTERM or SIGINT, then drain. Raises what a service could not survive."""
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
    log = await open_log(log_url(plan.settings), now_ms=SystemClock().now_ms)
    try:
        await log.create_topics(TOPICS)
        async with asyncio.TaskGroup() as group:
            await _live(plan, log, GroupTasks(group), stop)
    finally:
        await log.close()


async def _live(plan: Plan, log: Log, tasks: GroupTasks, stop: asyncio.Event) -> None:
    """From built to stopped."""
    ports = _ports(plan, log, tasks)
    running = {
        seat.name: seat.service.build(seat.settings, ports[seat.name]) for seat in plan.seats
    }
    for each in ports.values():
        for name, built in running.items():
            each.calls.attach(name, built.app)
    servers = _servers(plan, running)
    serving = [tasks.spawn(server.serve(), name="listener") for server in servers]
    loops = [
        tasks.spawn(_forever(loop), name=f"{name}.{what}")
        for name, built in running.items()
        for what, loop in built.loops.items()
    ]
    loops.append(tasks.spawn(_greet(plan.greeting, running), name="greeting"))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    await stop.wait()
    _log.info("draining", seconds=plan.settings.drain_s)
    await asyncio.gather(*(built.drain() for built in running.values()))
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving)
    for task in loops:
        task.cancel()
    for each in ports.values():
        await each.calls.close()
        await each.store.aclose()
    _log.info("stopped")


def _ports(plan: Plan, log: Log, tasks: GroupTasks) -> dict[str, Ports]:
    store = open_store(plan.settings.store_url)
    secrets = Secrets(plan.settings.data / "secrets", may_make=is_embedded(plan.settings))
    signer = Signer(secrets.get("identity.key", random_key))
    clock = SystemClock()
    return {
        seat.name: Ports(
            log=log,
            store=store,
            calls=Caller(seat.name, signer=signer, clock=clock, addresses=plan.addresses),
            clock=clock,
            tasks=tasks,
            signer=signer,
            secrets=secrets,
            new_id=partial(_new_id, clock),
        )
        for seat in plan.seats
    }


def _servers(plan: Plan, running: Mapping[str, Running]) -> list[_Server]:
    servers = [_server(running[seat.name].app, *seat.listen) for seat in plan.seats if seat.listen]
    lacks = {name: built.lacks for name, built in running.items()}
    return [*servers, _server(admin_app(lacks), plan.settings.host, plan.admin_port)]


async def _forever(loop: Loop) -> None:
    await loop()


async def _greet(greeting: str, running: Mapping[str, Running]) -> None:
    # What services lack is asked, not told: an event for each would be one more thing to forget.
    while any(built.lacks() for built in running.values()):  # noqa: ASYNC110
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
