"""A real process: it starts, serves, drains and ends, and says why it cannot."""

import asyncio
import json
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.runtime.metrics import parsed
from libs.runtime.process import CANNOT_START
from libs.runtime.tests.toy import GREETING
from libs.testing.eventually import eventually

ROOT = Path(__file__).parents[3]
# A process imports what it needs in a second or two; other tests may keep the cores busy.
END_S = 30


class Child:
    """The toy as a process."""

    def __init__(self, process: asyncio.subprocess.Process, options: dict[str, Any]) -> None:
        self.process = process
        self.options = options

    async def greeted(self) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(END_S):
            assert (await self.process.stdout.readline()).decode() == GREETING + "\n"

    async def get(self, path: str, *, admin: bool = False) -> httpx.Response:
        port = self.options["admin" if admin else "port"]
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{port}{path}")

    async def ended(self) -> tuple[int | None, str, str]:
        """Exit code, rest of the output, errors."""
        async with asyncio.timeout(END_S):
            out, err = await self.process.communicate()
        return self.process.returncode, out.decode(), err.decode()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@asynccontextmanager
async def toy(data: Path, **more: Any) -> AsyncIterator[Child]:
    """A toy that is killed at the end whatever it does."""
    port, admin = free_ports(2)
    options = {"data": str(data), "port": port, "admin": admin, "mode": "", **more}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "libs.runtime.tests.toy", json.dumps(options)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield Child(process, options)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_greets_when_ready_serves_and_drains_on_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with toy(tmp_path) as child:
        await child.greeted()
        assert (await child.get("/hello")).json() == "hello"
        ready = await child.get("/health/ready", admin=True)
        assert ready.status_code == 200
        assert ready.json()["lacks"] == {"toy": [], "process": []}
        assert "toy.run " in (await child.get("/debug/tasks", admin=True)).text
        assert (await child.get("/metrics")).status_code == 404
        child.process.send_signal(number)
        code, out, err = await child.ended()
    assert (code, out) == (0, "drained\n")
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["draining", "stopped"]


async def test_every_process_measures_its_loop_and_its_collector(tmp_path: Path) -> None:
    async with toy(tmp_path) as child:
        await child.greeted()

        async def measured() -> bool:
            samples = parsed((await child.get("/metrics", admin=True)).text)
            counted = {each.name: each.value for each in samples if not each.labels}
            generations = {each.labels.get("generation") for each in samples}
            return counted["loop_lag_seconds_count"] > 1 and {"0", "1", "2"} <= generations

        await eventually(measured, within_s=END_S, what="the loop is measured")


async def test_what_every_process_shows_is_on_the_page_of_metrics(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "generated" / "metrics.md").read_text("utf-8")
    async with toy(tmp_path) as child:
        await child.greeted()
        shown = (await child.get("/metrics", admin=True)).text
    names = {
        name.removesuffix("_total").removesuffix("_created")
        for name in re.findall(r"^# TYPE (rostrum_\w+) ", shown, re.MULTILINE)
    }
    assert "rostrum_loop_lag_seconds" in names
    assert [name for name in sorted(names) if f"| `{name}` |" not in page] == []


async def test_an_instance_that_drains_is_not_ready_and_a_second_signal_changes_nothing(
    tmp_path: Path,
) -> None:
    async with toy(tmp_path, mode="stuck") as child:
        await child.greeted()
        child.process.terminate()

        async def draining() -> bool:
            ready = await child.get("/health/ready", admin=True)
            return ready.status_code == 503 and ready.json()["lacks"]["process"] == ["draining"]

        await eventually(draining, within_s=END_S, what="not ready")
        child.process.terminate()
        code, out, err = await child.ended()
    # Its drain never ends, and is cut.
    assert (code, out) == (0, "drained\n")
    assert "the drain is cut" in err


async def test_a_loop_that_crashes_ends_the_process_with_its_error(tmp_path: Path) -> None:
    async with toy(tmp_path) as child:
        await child.greeted()
        await child.get("/crash")
        code, out, err = await child.ended()
    assert code == 1
    assert "ZeroDivisionError: the toy fell apart" in err
    assert "drained" not in out


async def cannot_start(child: Child) -> str:
    """The one line that it says."""
    code, out, err = await child.ended()
    assert (code, out) == (CANNOT_START, "")
    (line,) = err.splitlines()
    assert line.startswith("Cannot start: ")
    return line


async def test_a_second_process_on_one_log_is_told_what_to_do(tmp_path: Path) -> None:
    async with toy(tmp_path) as first:
        await first.greeted()
        async with toy(tmp_path) as second:
            line = await cannot_start(second)
        assert "another process has this log open" in line
        assert "stop the other one" in line
        assert (await first.get("/hello")).status_code == 200
    # The first one was killed: nothing is left that keeps the next from starting.
    async with toy(tmp_path) as third:
        await third.greeted()


@pytest.mark.parametrize("which", ["port", "admin"])
async def test_an_address_in_use_is_told_with_the_setting(tmp_path: Path, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with toy(tmp_path, **{which: port}) as child:
            line = await cannot_start(child)
    assert f"no listener on 127.0.0.1:{port}: Address already in use" in line
    assert "ROSTRUM_PORT" in line


async def test_a_missing_secret_is_told_with_its_path(tmp_path: Path) -> None:
    async with toy(tmp_path, mode="secret") as child:
        line = await cannot_start(child)
    assert f"{tmp_path / 'toy.key'} is missing: mount" in line


@pytest.mark.parametrize("url", ["kafka", "sqlite:///{data}/text.db"])
async def test_a_log_that_cannot_be_opened_is_told_with_its_address(
    tmp_path: Path, url: str
) -> None:
    (tmp_path / "text.db").write_text("this is no database, and long enough to be looked at" * 9)
    url = url.format(data=tmp_path)
    async with toy(tmp_path, log_url=url) as child:
        line = await cannot_start(child)
    assert f"the log at {url}: " in line
