"""`python -m deploy.local`: state survives a restart, a death ends all, nothing is left behind."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.kafka.cluster import archive_classes
from deploy.kafka.distribution import Distribution
from deploy.kafka.properties import free_ports
from libs.testing.eventually import eventually
from libs.wire.services import CHAT

ROOT = Path(__file__).parents[3]
READY_S, END_S = 90, 30
ACCOUNT = {"handle": "ada", "password": "correct horse", "display_name": "Ada"}
DEVICE = {"name": "laptop", "kind": "cli"}


class Up:
    """It, running and ready."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.printed: list[str] = []

    async def line(self, words: str) -> str:
        """The next line with these words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(READY_S):
            while words not in (line := (await self.process.stdout.readline()).decode()):
                self.printed.append(line)
                assert line, "".join(self.printed)
        return line

    def children(self) -> dict[int, str]:
        """The command line of each child."""
        pid = self.process.pid
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {int(each): Path(f"/proc/{each}/cmdline").read_text() for each in pids}

    async def ended(self) -> int:
        """The exit code."""
        assert self.process.stdout is not None
        async with asyncio.timeout(END_S):
            self.printed.append((await self.process.stdout.read()).decode())
            return await self.process.wait()


@asynccontextmanager
async def up(data: Path) -> AsyncIterator[Up]:
    """Ready, with one of each; killed at the end."""
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local", "--port", str(port), "--data", str(data)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Up(process, port)
    try:
        assert running.url in await running.line("All ready after")
        yield running
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_state_survives_a_restart_and_a_death_ends_everything(tmp_path: Path) -> None:
    distribution = Distribution()
    distribution.bring()
    archive_classes(distribution)
    async with httpx.AsyncClient() as client:
        async with up(tmp_path) as first:
            made = await client.post(f"{first.url}/v1/accounts", json=ACCOUNT)
            assert made.status_code == 201, made.text
            children = first.children()
            first.process.send_signal(signal.SIGTERM)
            assert await first.ended() == 0
            assert not any(map(is_running, children)), children
        async with up(tmp_path) as second:
            asked = {"handle": "ada", "password": "correct horse", "device": DEVICE}
            signed_in = await client.post(f"{second.url}/v1/sessions", json=asked)
            assert signed_in.status_code == 201, signed_in.text
            children = second.children()
            assert len(children) == 7
            victim = next(pid for pid, line in children.items() if line.endswith(f"{CHAT}\0"))
            await _killed(victim)
            assert await second.ended() == 1
            assert "chat ended; its last lines:" in second.printed[-1]
    await eventually(
        lambda: not any(map(is_running, children)), within_s=5, what="no child is left"
    )


async def _killed(pid: int) -> None:
    killing = await asyncio.create_subprocess_exec("kill", "-9", str(pid))
    assert await killing.wait() == 0


async def test_a_second_one_on_the_same_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    holds = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); "
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"{holds}print('held', flush=True); sys.stdin.read()"),
        str(tmp_path / "local.lock"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    refused = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local", "--data", str(tmp_path)),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await refused.communicate()
    await holder.communicate(b"")
    assert refused.returncode == 1
    assert told.decode() == f"{tmp_path} is in use by another one: stop it, or set DATA\n"
