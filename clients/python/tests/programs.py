"""Programs that use the client, as processes of their own: to be killed and interrupted."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


async def started(code: str, *arguments: str) -> Process:
    """A program of this code, on the client of this tree; its output is a pipe."""
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, *arguments), env=environ, stdout=PIPE
    )
