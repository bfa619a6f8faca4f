"""Programs that use the client, as processes of their own: to be killed and interrupted."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
EXAMPLES = Path(__file__).parents[1] / "examples"


async def started(code: str, *arguments: str) -> Process:
    """A program of this code, on the client of this tree; its output is a pipe."""
    return await _started("-c", code, *arguments)


async def example(name: str, *arguments: str) -> Process:
    """One of `clients/python/examples`, as it is run by hand. It reads what is asked for from a
    pipe."""
    return await _started(str(EXAMPLES / f"{name}.py"), *arguments)


async def ended(process: Process) -> None:
    """Kill -9, if it runs still, and wait."""
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _started(*words: str) -> Process:
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *words), env=environ, stdin=PIPE, stdout=PIPE, start_new_session=True
    )
