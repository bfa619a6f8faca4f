"""An instance of a service, which may die between any two of its steps."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class ConnectionLost(Exception):
    """The instance died while somebody waited for its answer."""


class Process:
    """A life: what was spawned in it ends with it, and what it still says is heard by nobody.

    `faults` gathers what its tasks raise: any of that would end a real process.
    """

    def __init__(self, name: str, faults: list[str]) -> None:
        self.name = name
        self.is_alive = True
        self.ends: list[Callable[[], None]] = []
        self._faults = faults
        self._fuse: int | None = None
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Start a task of this process."""
        if not self.is_alive:
            work.close()
            raise asyncio.CancelledError
        loop = asyncio.get_running_loop()
        task = loop.create_task(_Stepped(work, self), name=f"{self.name} {name}")
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    async def serve(self, work: Coroutine[Any, Any, T]) -> T:
        """What a request to this process gives. Raises `ConnectionLost`, and
        `ConnectionRefusedError` when it is dead already."""
        if not self.is_alive:
            work.close()
            raise ConnectionRefusedError(self.name)
        serving = asyncio.get_running_loop().create_task(_Stepped(work, self), name=self.name)
        self._tasks[serving] = None
        try:
            await asyncio.wait([serving])
        except asyncio.CancelledError:
            serving.cancel()
            raise
        finally:
            self._tasks.pop(serving, None)
        if serving.cancelled() or not self.is_alive:
            raise ConnectionLost
        return serving.result()

    def check(self) -> None:
        """What a dead process asks of the world is not done."""
        if not self.is_alive:
            raise asyncio.CancelledError

    def light(self, steps: int) -> None:
        """Die before the step after so many more."""
        self._fuse = steps

    def kill(self) -> None:
        """Die now."""
        if not self.is_alive:
            return
        self.is_alive = False
        for task in self._tasks:
            task.cancel()
        for end in self.ends:
            end()

    def is_killed_by_step(self) -> bool:
        """Count a step."""
        if self._fuse is not None and self.is_alive:
            self._fuse -= 1
            if self._fuse < 0:
                self.kill()
                return True
        return False

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if task.cancelled():
            return
        fault = task.exception()
        if fault is not None and self.is_alive:
            self._faults.append(f"{task.get_name()} died of {fault!r}")


class _Stepped(Coroutine[Any, Any, T]):
    """A coroutine whose steps its process counts."""

    def __init__(self, inner: Coroutine[Any, Any, T], process: Process) -> None:
        self._inner = inner
        self._process = process

    def send(self, value: Any) -> Any:
        if self._process.is_killed_by_step():
            return self._inner.throw(asyncio.CancelledError())
        return self._inner.send(value)

    def throw(self, *fault: Any) -> Any:
        return self._inner.throw(*fault)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._inner.__await__()
