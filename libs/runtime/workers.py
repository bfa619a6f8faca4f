"""Several processes of one service on one port, among which the kernel shares out connections.

    parent ──starts──> workers ──one dies──> started anew
       └──SIGTERM──> all drain ──> the parent ends

The parent listens nowhere and keeps nothing. A worker whose parent is gone drains and ends.
"""

import asyncio
import os
import signal
from collections.abc import Sequence

from libs.runtime.logging import configure, logger

# One that dies at once is not started again and again at once.
AGAIN_S = 1.0
ORPHAN_POLL_S = 0.5

_log = logger("workers")


def supervise(commands: Sequence[Sequence[str]], final: frozenset[int], log_level: str) -> int:
    """Keep a worker running for each command until SIGTERM or SIGINT, or until one ends with a
    `final` code, which another start would not change. Returns the exit code: that one, or the
    first of a worker that did not end well."""
    configure(log_level)
    return asyncio.run(_supervise(commands, final))


async def orphaned(parent: int) -> None:
    """Return when this process is no child of that one (any more): it may have gone before we could
    ask who it is."""
    while os.getppid() == parent:  # noqa: ASYNC110 (nobody tells)
        await asyncio.sleep(ORPHAN_POLL_S)
    _log.warning("the parent is gone")


async def _supervise(commands: Sequence[Sequence[str]], final: frozenset[int]) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        kept = [group.create_task(_keep(command, final, stop)) for command in commands]
    codes = [task.result() for task in kept]
    return next((abs(code) for code in codes if code), 0)


async def _keep(command: Sequence[str], final: frozenset[int], stop: asyncio.Event) -> int:
    while True:
        process = await asyncio.create_subprocess_exec(*command)
        code = await _ended(process, stop)
        if stop.is_set():
            return code
        if code in final:
            stop.set()
            return code
        _log.warning("a worker ended and is started anew", pid=process.pid, code=code)
        if await _is_set_within(stop, AGAIN_S):
            return code


async def _ended(process: asyncio.subprocess.Process, stop: asyncio.Event) -> int:
    """The exit code of a worker, which is told to end when `stop` is set."""
    waiting = asyncio.create_task(process.wait())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if process.returncode is None:
        process.terminate()
    return await waiting


async def _is_set_within(stop: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await stop.wait()
    except TimeoutError:
        return False
