"""The process: opens the ports, builds services, serves, waits for a signal, drains, ends.

One TaskGroup owns every task. What a loop or server raises ends the process with that error: an
orchestrator starts it anew, and everything it kept can be rebuilt. What an operator has to mend
before it can start (the log, a secret, a port) is told in one line instead.
"""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvloop

from libs.log.open import open_log
from libs.log.port import Log, LogError
from libs.runtime.addresses import Addresses
from libs.runtime.admin import Lacks, admin_app
from libs.runtime.calls import Caller
from libs.runtime.clock import SystemClock
from libs.runtime.identity import Signer
from libs.runtime.listener import SHUTDOWN_S, Server, listening
from libs.runtime.log_watch import LogWatch
from libs.runtime.logging import configure, logger
from libs.runtime.pulse import watch_loop, watched_collections
from libs.runtime.secrets import SecretMissing, Secrets, entropy, random_key
from libs.runtime.service import AnyService, Loop, Ports, Running
from libs.runtime.settings import ProcessSettings, is_embedded, log_url, variable
from libs.runtime.tasks import GroupTasks
from libs.runtime.workers import orphaned
from libs.store import open_store
from libs.wire import ids
from libs.wire.topics import TOPICS

CANNOT_START = 3
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
    admin listener's; `greeting` is printed once everything is ready. A worker (`workers.py`) shares
    its other ports and ends with its `parent`, a process."""

    settings: ProcessSettings
    seats: Sequence[Seat]
    addresses: Addresses
    admin_port: int
    greeting: str
    parent: int | None = None


class CannotStart(Exception):
    """What is taken, missing or cannot be opened, and what to do: one line for the operator."""


class _Stopped(Exception):
    """Everything is drained: it cancels the tasks that still run."""


def run(plan: Plan) -> int:
    """Run until SIGTERM or SIGINT, then drain. Returns the exit code: 0, or `CANNOT_START` after a
    line on standard error. Raises what a service could not survive."""
    configure(plan.settings.log_level)
    missing: list[str] = []
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_main(plan))
    except* (CannotStart, SecretMissing) as faults:
        missing = [f"Cannot start: {fault}" for fault in faults.exceptions]
    print(*missing, sep="\n", end="\n" if missing else "", file=sys.stderr)
    return CANNOT_START if missing else 0


async def _main(plan: Plan) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as closing:
        closing.enter_context(watched_collections(SystemClock()))
        log = await _open(plan.settings, closing)
        try:
            await _group(plan, log, closing, stop)
        except* _Stopped:
            _log.info("stopped")


async def _group(
    plan: Plan, log: Log, closing: contextlib.AsyncExitStack, stop: asyncio.Event
) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = GroupTasks(group)
        ports = _ports(plan, log, tasks)
        for each in ports.values():
            closing.push_async_callback(each.store.aclose)
            closing.push_async_callback(each.calls.close)
        await _live(plan, ports, tasks, stop)
        await tasks.end()
        raise _Stopped


async def _open(settings: ProcessSettings, closing: contextlib.AsyncExitStack) -> Log:
    url = log_url(settings)
    try:
        log = await open_log(url, now_ms=SystemClock().now_ms)
        closing.push_async_callback(log.close)
        await log.create_topics(TOPICS)
    except (LogError, ValueError) as fault:
        raise CannotStart(f"the log at {url}: {fault}") from fault
    return log


async def _live(
    plan: Plan, ports: Mapping[str, Ports], tasks: GroupTasks, stop: asyncio.Event
) -> None:
    """From built to drained."""
    running = {
        seat.name: seat.service.build(seat.settings, ports[seat.name]) for seat in plan.seats
    }
    for each in ports.values():
        for name, built in running.items():
            each.calls.attach(name, built.app)
    watch = LogWatch(next(iter(ports.values())).log, SystemClock())
    tasks.spawn(watch.run(), name="log.watch")
    tasks.spawn(watch_loop(SystemClock()), name="pulse")
    servers = _servers(plan, running, watch, stop)
    serving = [tasks.spawn(server.live(), name="listener") for server in servers]
    for name, built in running.items():
        for what, loop in built.loops.items():
            tasks.spawn(_run(loop), name=f"{name}.{what}")
    tasks.spawn(_greet(plan.greeting, running), name="greeting")
    if plan.parent is not None:
        tasks.spawn(_end_with(plan.parent, stop), name="parent")
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    await stop.wait()
    await _drain(plan.settings.drain_s, running)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving)


async def _drain(drain_s: float, running: Mapping[str, Running]) -> None:
    _log.info("draining", seconds=drain_s)
    try:
        # A drain that takes this much longer than it may is cut, as connections are.
        async with asyncio.timeout(drain_s + SHUTDOWN_S):
            await asyncio.gather(*(built.drain(drain_s) for built in running.values()))
    except TimeoutError:
        _log.warning("the drain is cut", seconds=drain_s + SHUTDOWN_S)


def _ports(plan: Plan, log: Log, tasks: GroupTasks) -> dict[str, Ports]:
    store = open_store(plan.settings.store_url)
    may_make = plan.settings.make_secrets or is_embedded(plan.settings)
    secrets = Secrets(plan.settings.data / "secrets", may_make=may_make)
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


def _servers(
    plan: Plan, running: Mapping[str, Running], watch: LogWatch, stop: asyncio.Event
) -> list[Server]:
    servers = [
        _server(running[seat.name], *seat.listen, is_shared=plan.parent is not None)
        for seat in plan.seats
        if seat.listen
    ]
    lacks: dict[str, Lacks] = {name: built.lacks for name, built in running.items()}
    lacks["process"] = lambda: [*watch.lacks(), *(["draining"] if stop.is_set() else [])]
    admin = Running(admin_app(lacks, SystemClock()))
    return [*servers, _server(admin, plan.settings.host, plan.admin_port)]


async def _run(loop: Loop) -> None:
    await loop()


async def _greet(greeting: str, running: Mapping[str, Running]) -> None:
    # What services lack is asked, not told: an event for each would be one more thing to forget.
    while any(built.lacks() for built in running.values()):  # noqa: ASYNC110
        await asyncio.sleep(READY_POLL_S)
    print(greeting, flush=True)


async def _end_with(parent: int, stop: asyncio.Event) -> None:
    await orphaned(parent)
    stop.set()


def _server(built: Running, host: str, port: int, *, is_shared: bool = False) -> Server:
    try:
        return Server(built.app, listening(host, port, is_shared=is_shared), built.http)
    except OSError as fault:
        raise CannotStart(
            f"no listener on {host}:{port}: {fault.strerror}; stop what listens there, or set "
            f"{variable('', 'port')} to another port"
        ) from fault


def _new_id(clock: SystemClock) -> str:
    return ids.fresh(clock.now_ms(), entropy(ids.ENTROPY_BYTES))
