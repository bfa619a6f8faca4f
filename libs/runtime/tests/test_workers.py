"""A parent and its workers, as real processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from libs.runtime.workers import supervise
from libs.testing.eventually import eventually

ROOT = Path(__file__).parents[3]
WITHIN_S = 30.0
FINAL = 3
MODULE = supervise.__module__
# Writes its pid where it is told, then does as it is told.
WORKER = """
import asyncio, os, pathlib, signal, sys
pathlib.Path(sys.argv[1], str(os.getpid())).write_text(sys.argv[2])
{}
"""
WAITS = "signal.pause()"
ENDS_WITH_PARENT = f"from {MODULE} import orphaned; asyncio.run(orphaned(int(sys.argv[3])))"
FAILS = f"raise SystemExit({FINAL})"
PARENT = f"""
import os, sys
from {MODULE} import supervise
works = sys.argv[2:]
python, folder, parent = [sys.executable, "-c"], sys.argv[1], str(os.getpid())
commands = [[*python, work, folder, str(n), parent] for n, work in enumerate(works)]
raise SystemExit(supervise(commands, frozenset(({FINAL},)), "info"))
"""


@asynccontextmanager
async def parent(folder: Path, *works: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A parent whose workers do these works."""
    workers = [WORKER.format(work) for work in works]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(folder), *workers, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        for pid in began(folder):
            kill(pid)


def began(folder: Path) -> list[int]:
    """Pids of all workers that ever began."""
    return sorted(int(path.name) for path in folder.iterdir())


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def is_there(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    # Ended, though nobody asked how: not every machine's first process does.
    return state != "Z"


async def workers_of(folder: Path, count: int) -> list[int]:
    """Their pids, once so many have begun."""

    def all_began() -> list[int]:
        pids = began(folder)
        return pids if len(pids) == count else []

    return await eventually(all_began, within_s=WITHIN_S, what=f"{count} workers began")


async def test_a_worker_that_dies_is_started_anew_and_the_others_stay(tmp_path: Path) -> None:
    async with parent(tmp_path, WAITS, WAITS):
        first = await workers_of(tmp_path, 2)
        kill(first[0])
        now = await workers_of(tmp_path, 3)
        (new,) = set(now) - set(first)
        lost = (tmp_path / str(first[0])).read_text()
        assert (tmp_path / str(new)).read_text() == lost
        assert is_there(first[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_all_and_the_parent_after_them(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with parent(tmp_path, WAITS, WAITS, WAITS) as process:
        pids = await workers_of(tmp_path, 3)
        process.send_signal(number)
        async with asyncio.timeout(WITHIN_S):
            # They did not end by themselves, as services do, but by the signal.
            assert await process.wait() == signal.SIGTERM
        assert not any(map(is_there, pids))


async def test_a_worker_that_cannot_start_ends_all(tmp_path: Path) -> None:
    async with parent(tmp_path, WAITS, FAILS) as process:
        async with asyncio.timeout(WITHIN_S):
            code = await process.wait()
        assert code in (FINAL, signal.SIGTERM)
        assert not any(map(is_there, began(tmp_path)))


async def test_workers_end_when_their_parent_is_gone(tmp_path: Path) -> None:
    async with parent(tmp_path, ENDS_WITH_PARENT, ENDS_WITH_PARENT) as process:
        pids = await workers_of(tmp_path, 2)
        process.kill()
        await eventually(
            lambda: not any(map(is_there, pids)), within_s=WITHIN_S, what="workers end"
        )
