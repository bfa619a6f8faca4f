"""The instances of the services, each started again a while after it died."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from random import Random
from typing import Any, Generic, Protocol, TypeVar

from libs.log.port import Log, LogError
from libs.runtime.identity import Signer
from libs.runtime.secrets import Secrets
from libs.runtime.service import Loop, Ports
from libs.wire import ids
from libs.wire.services import CHAT, RELAY

from .links import Answer, Calls
from .network import Network, RemoteLog
from .process import Process
from .redis import Server

T = TypeVar("T")

AWAY_S_MAX = 2.0
ADDRESSES: dict[str, tuple[str, ...]] = {
    CHAT: ("chat-0", "chat-1"),
    RELAY: ("http://relay-0", "http://relay-1"),
}


class Core(Protocol):
    """A service without its sockets."""

    @property
    def loops(self) -> Mapping[str, Loop]: ...


C = TypeVar("C", bound=Core)


class WorldTasks:
    """Tasks of nobody's process. `faults` gathers what they raise, but for errors of the log, which
    whoever waits for them is told."""

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Start a task."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        del self._tasks[task]
        fault = None if task.cancelled() else task.exception()
        if fault is not None and not isinstance(fault, LogError):
            self._faults.append(f"{task.get_name()} died of {fault!r}")


async def nobody(name: str, question: Any) -> Any:
    """A world in which nobody answers calls."""
    raise ConnectionRefusedError(name)


class Surroundings:
    """What all processes of a world share."""

    def __init__(
        self,
        dice: Random,
        network: Network,
        *,
        log: Log,
        redis: Server,
        faults: list[str],
        answer: Answer = nobody,
    ) -> None:
        self.dice = dice
        self.network = network
        self.faults = faults
        self._log = log
        self._redis = redis
        self._answer = answer

    def ports(self, process: Process) -> Ports:
        """The ports of one process."""
        clock = self.network.clock
        return Ports(
            log=RemoteLog(self._log, self.network, process),
            store=self._redis.client(),
            calls=Calls(self.network, self._answer, ADDRESSES),
            clock=clock,
            tasks=process,
            signer=Signer(bytes(32)),
            secrets=Secrets(Path("nowhere"), may_make=False),
            new_id=lambda: ids.fresh(clock.now_ms(), self.dice.randbytes(ids.ENTROPY_BYTES)),
        )


class Instance(Generic[C]):
    """One of the instances of a service: the process that lives now, or died last."""

    def __init__(self, name: str, build: Callable[[Ports], C], around: Surroundings) -> None:
        self.name = name
        self._build = build
        self._around = around
        self.start()

    def start(self) -> None:
        """Begin a new life."""
        self.process = Process(self.name, self._around.faults)
        self.core = self._build(self._around.ports(self.process))
        for name, loop in self.core.loops.items():
            self.process.spawn(_run(loop), name=name)
        self.process.ends.append(self._died)

    def _died(self) -> None:
        self._around.network.tasks.spawn(self._come_back(), name=f"{self.name} comes back")

    async def _come_back(self) -> None:
        await self._around.network.clock.sleep(self._around.dice.uniform(0, AWAY_S_MAX))
        self.start()


async def _run(loop: Loop) -> None:
    await loop()
