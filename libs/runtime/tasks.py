"""Tasks with an owner: all of a process are children of one TaskGroup."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Tasks(Protocol):
    """Where work is started that outlives the call that starts it."""

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Start `work`. What it raises ends the process: work handles its own errors."""


# A cancel can be lost: `asyncio.wait_for` of Python 3.11 drops one that comes with its result, and
# drivers use it. So tasks are cancelled until they end, this often a second.
CANCEL_AGAIN_S = 0.1


class GroupTasks:
    """Tasks of a TaskGroup."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._living: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        task = self._group.create_task(work, name=name)
        self._living.add(task)
        task.add_done_callback(self._living.discard)
        return task

    async def end(self) -> None:
        """Cancel all tasks until each has ended."""
        while self._living:
            for task in self._living:
                task.cancel()
            await asyncio.wait(set(self._living), timeout=CANCEL_AGAIN_S)


async def until_one_ends(*works: Coroutine[Any, Any, None], name: str) -> None:
    """Run `works` side by side until one ends, or the caller is cancelled; then the others are
    cancelled until each has ended. Raises what the first one raised.

    Not a TaskGroup: that one cancels once, and waits for ever when a driver loses it."""
    tasks = {asyncio.create_task(work, name=name) for work in works}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _ended(tasks)
    # All are looked at: what a second one raised would be reported as unnoticed.
    faults = [task.exception() for task in tasks if not task.cancelled()]
    for fault in filter(None, faults):
        raise fault


async def _ended(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel until each has ended, whatever is asked of us meanwhile."""
    asked: asyncio.CancelledError | None = None
    while living := {task for task in tasks if not task.done()}:
        for task in living:
            task.cancel()
        try:
            await asyncio.wait(living, timeout=CANCEL_AGAIN_S)
        except asyncio.CancelledError as again:
            asked = again
    for task in tasks:
        # One of them is told; what the others raised meanwhile is no news for the log.
        _ = task.cancelled() or task.exception()
    if asked is not None:
        raise asked


def running_tasks() -> list[str]:
    """One line per task of this loop: its name and where it waits. For `/debug/tasks`."""
    lines = []
    for task in asyncio.all_tasks():
        frames = task.get_stack(limit=1)
        place = f"{frames[0].f_code.co_qualname}:{frames[0].f_lineno}" if frames else "-"
        lines.append(f"{task.get_name()} {place}")
    return sorted(lines)
