"""A deployment that commands are run against, as processes."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from harness.suite import ROOT, Suite
from rostrum import Client, FileSessions

PASSWORD = "correct horse battery"
# A command that takes longer hangs.
ENDS_S = 100.0


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON that it printed."""
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass
class Deployment:
    """A suite, one person who is signed in there, and a folder for files."""

    suite: Suite
    folder: Path
    client: Client

    @property
    def sessions(self) -> Path:
        """The file of the person's session."""
        return self.folder / "session"

    async def start(self, command: str, *args: object) -> asyncio.subprocess.Process:
        """Start `rostrum COMMAND`."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cli",
            command,
            "--url",
            self.suite.url,
            "--sessions",
            str(self.sessions),
            *map(str, args),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, command: str, *args: object, within_s: float = ENDS_S) -> Ended:
        """Run it to its end."""
        process = await self.start(command, *args)
        async with asyncio.timeout(within_s):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def deployed(folder: Path, **settings: str) -> AsyncIterator[Deployment]:
    """A suite with somebody called Mira."""
    async with (
        Suite(folder / "data", **settings) as suite,
        Client(suite.url, sessions=FileSessions(folder / "session")) as client,
    ):
        await client.sign_up("mira", PASSWORD, name="Mira")
        await client.sign_in("mira", PASSWORD)
        yield Deployment(suite, folder, client)
