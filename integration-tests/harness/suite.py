"""A running suite in the embedded mode: one process, its own folder and ports."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType

import httpx

from harness.cuts import CannotCut
from harness.ease import EASE
from harness.ports import free_port

ROOT = Path(__file__).parents[2]
START_S = 30.0
STOP_S = 15.0
# The ports of a suite: the gateway's, those of the services after it, and the admin listener's.
PORT_SPAN = 8
ADMIN_OFFSET = 1_000


class Suite:
    """`python -m services all` on a data folder. Enter it to start; leaving it stops it."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.port = free_port(_ports)
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_url = f"http://127.0.0.1:{self.port + ADMIN_OFFSET}"
        self._settings = {**EASE, **settings}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Suite":
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            await self.kill()

    async def start(self) -> None:
        """Start, and wait until it says that it listens."""
        environ = {name: value for name, value in os.environ.items() if "ROSTRUM_" not in name}
        environ |= {"ROSTRUM_PORT": str(self.port), "ROSTRUM_DATA": str(self.data)}
        environ |= {f"ROSTRUM_{name}".upper(): value for name, value in self._settings.items()}
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "suite.log").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services",
                "all",
                cwd=ROOT,
                env=environ,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(START_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise AssertionError(f"not ready in {START_S} s: {await self.why()}") from None
        assert line, f"ended at start: {self.logs()}"

    async def kill(self) -> None:
        """kill -9: nothing gets a chance to finish."""
        process = self._running()
        process.kill()
        await process.wait()
        self._process = None

    async def stop(self) -> int:
        """SIGTERM, as an orchestrator does. Returns the exit code."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_S):
            code = await process.wait()
        self._process = None
        return code

    def cut(self, one: object, other: object) -> None:
        """Raises `CannotCut`."""
        raise CannotCut("the embedded mode is one process: there is nothing between its parts")

    async def why(self) -> str:
        """What the suite says it lacks, and the end of its logs."""
        with contextlib.suppress(httpx.HTTPError):
            async with httpx.AsyncClient() as client:
                ready = await client.get(f"{self.admin_url}/health/ready")
                return f"{ready.text}\n{self.logs()}"
        return self.logs()

    def logs(self) -> str:
        """The end of what the suite logged."""
        return (self.data / "suite.log").read_text()[-4_000:]

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "the suite does not run"
        return self._process


def _ports(port: int) -> list[int]:
    return [*range(port, port + PORT_SPAN), port + ADMIN_OFFSET]


@contextlib.asynccontextmanager
async def embedded(data: Path, **settings: str) -> AsyncIterator[Suite]:
    """A suite that is stopped at the end."""
    async with Suite(data, **settings) as suite:
        yield suite
