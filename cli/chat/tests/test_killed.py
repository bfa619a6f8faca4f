"""The command in a terminal, killed -9: what was typed is posted by the next start, once."""

import asyncio
import os
import pty
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cli.chat.courier import OUTBOX
from harness.gateways import QUICK
from harness.suite import ROOT, Suite
from libs.testing.eventually import eventually
from rostrum import Client, FileSessions, Message

PASSWORD = "correct horse"
WITHIN_S = 60.0
READ_BYTES = 1 << 16


class Screen:
    """A terminal in which a program runs, and all that it has printed."""

    def __init__(self, program: Process, handle: int) -> None:
        self.program = program
        self.printed = b""
        self._handle = handle

    def type(self, text: str) -> None:
        os.write(self._handle, text.encode())

    def read(self) -> None:
        try:
            self.printed += os.read(self._handle, READ_BYTES)
        except OSError:
            # The program has ended, and its side of the terminal is closed.
            asyncio.get_running_loop().remove_reader(self._handle)

    async def prints(self, text: str) -> None:
        """This is printed, on one line or several."""
        await eventually(
            lambda: text.encode() in b" ".join(self.printed.split()),
            within_s=WITHIN_S,
            what=f"{text!r} is printed",
        )


@asynccontextmanager
async def screen(*words: str) -> AsyncIterator[Screen]:
    """`rostrum chat` in a terminal; it is killed at the end, if it runs still."""
    mine, its = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "chat", *words),
        cwd=ROOT,
        env=environ,
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    shown = Screen(program, mine)
    loop = asyncio.get_running_loop()
    loop.add_reader(mine, shown.read)
    try:
        yield shown
    finally:
        loop.remove_reader(mine)
        if program.returncode is None:
            program.kill()
        await program.wait()
        os.close(mine)


@pytest.mark.timeout(240)
async def test_what_was_typed_is_posted_by_the_next_start(tmp_path: Path) -> None:
    sessions, state = tmp_path / "sessions.json", tmp_path / "state"
    async with Suite(tmp_path / "data", **QUICK) as suite:
        async with Client(suite.url, sessions=FileSessions(sessions)) as ada:
            await ada.sign_up("ada", PASSWORD, name="Ada")
            await ada.sign_in("ada", PASSWORD)
            channel = (await ada.create_channel("First light")).id
        words = ("--url", suite.url, "--sessions", str(sessions), "--state", str(state))
        async with screen(*words) as first:
            await first.prints("live by websocket")
            await suite.kill()
            await first.prints("reconnecting")
            first.type("nothing is lost\r")
            await eventually(
                lambda: b"nothing is lost" in _stored(state), within_s=WITHIN_S, what="it is kept"
            )
        await suite.start()
        async with screen(*words) as second:
            await second.prints("live by websocket")
            async with Client(suite.url, sessions=FileSessions(sessions)) as ada:
                await eventually(
                    lambda: _posted(ada, channel), within_s=WITHIN_S, what="it is posted"
                )
                assert await _posted(ada, channel) == ["nothing is lost"]
            second.type("/quit\r")
            async with asyncio.timeout(WITHIN_S):
                assert await second.program.wait() == 0


async def test_a_folder_that_another_one_uses_is_refused(tmp_path: Path) -> None:
    sessions, state = tmp_path / "sessions.json", tmp_path / "state"
    async with Suite(tmp_path / "data", **QUICK) as suite:
        async with Client(suite.url, sessions=FileSessions(sessions)) as ada:
            await ada.sign_up("ada", PASSWORD, name="Ada")
            await ada.sign_in("ada", PASSWORD)
            await ada.create_channel("First light")
        words = ("--url", suite.url, "--sessions", str(sessions), "--state", str(state))
        async with screen(*words) as first:
            await first.prints("live by websocket")
            async with screen(*words) as second, asyncio.timeout(WITHIN_S):
                assert await second.program.wait() == 1
                await second.prints("used by another program")


def _stored(state: Path) -> bytes:
    return b"".join(path.read_bytes() for path in state.glob(f"{OUTBOX}*"))


async def _posted(client: Client, channel: str) -> list[str]:
    found = [entry async for entry in client.history(channel)]
    return [entry.text for entry in found if isinstance(entry, Message)]
