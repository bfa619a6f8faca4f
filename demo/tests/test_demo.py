"""The demo itself, small: it ends well on its own, and a gateway that loses something is found."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.layout import Layout
from deploy.local.ports import free_port
from harness.ease import EASE
from harness.gateways import QUICK
from libs.runtime.settings import PREFIX, environment, variable
from libs.testing.eventually import eventually

ROOT = Path(__file__).parents[2]
WITHIN_S = 180.0

pytestmark = pytest.mark.timeout(240)


async def demo(*words: str) -> tuple[int | None, str]:
    """Exit code, and what it said."""
    process = await started("demo", *words)
    async with asyncio.timeout(WITHIN_S):
        output, _ = await process.communicate()
    return process.returncode, output.decode()


async def started(module: str, *words: str, settings: dict[str, str] | None = None) -> Process:
    environ = {name: value for name, value in environment().items() if PREFIX not in name}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words),
        cwd=ROOT,
        env={**environ, **(settings or {}), "PYTHONPATH": f".:{ROOT / 'clients/python/src'}"},
        stdout=PIPE,
        stderr=STDOUT,
    )


async def test_a_small_one_ends_well() -> None:
    code, said = await demo("--followers", "6", "--messages", "80")
    assert code == 0, said
    assert "lost          0" in said
    assert "repeated      0" in said
    assert "out of order  0" in said
    assert "websocket     p50" in said
    assert "poll          p50" in said


async def test_it_ends_in_time_with_what_it_has_posted() -> None:
    code, said = await demo("--followers", "2", "--seconds", "1")
    assert code == 0, said
    posted = next(line for line in said.splitlines() if line.startswith("posted"))
    assert 0 < int(posted.split()[1]) < 100, said


@asynccontextmanager
async def leaky(data: Path) -> AsyncIterator[str]:
    """The address of a deployment that loses one message in a thousand."""
    port = free_port(lambda first: Layout(first).ports())
    settings = {"port": str(port), "data": str(data), **EASE, **QUICK}
    named = {variable("", name): value for name, value in settings.items()}
    process = await started("demo.tests.leaky", settings=named)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WITHIN_S):
            while b"Rostrum listens on" not in (line := await process.stdout.readline()):
                assert line, "it ended"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def test_a_gateway_that_loses_one_in_a_thousand_is_found(tmp_path: Path) -> None:
    async with leaky(tmp_path) as url:
        code, said = await demo("--url", url, "--followers", "4", "--per-s", "500")
    assert code == 1, said
    lost = next(line for line in said.splitlines() if line.startswith("lost"))
    assert lost == "lost          4: entries 1000 (4 followers)", said


async def test_where_nobody_answers_it_says_so() -> None:
    port = free_port(lambda first: [first])
    code, said = await demo("--url", f"http://127.0.0.1:{port}", "--followers", "2")
    assert code == 1
    assert f"http://127.0.0.1:{port}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_one_that_is_ended_leaves_nobody_behind(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = await started("demo", "--followers", "4", settings={"TMPDIR": str(tmp_path)})
    assert process.stdout is not None
    while b"all of them follow" not in await process.stdout.readline():
        assert process.returncode is None
    children = await asyncio.to_thread(_below, process.pid)
    assert len(children) > 4
    process.send_signal(number)
    said, _ = await process.communicate()
    assert b"Traceback" not in said
    await eventually(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in children),
        within_s=WITHIN_S,
        what="all of them have ended",
    )


def _below(pid: int) -> list[int]:
    """A process's children, and theirs."""
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in map(int, told) for one in (child, *_below(child))]
