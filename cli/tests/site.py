"""A deployment for commands: who and what is there, and how a command is run at it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cli.__main__ import rostrum
from harness.people import People, Person
from harness.suite import ROOT, Suite
from libs.runtime.settings import PREFIX

HANDLE = "light"
TEXTS = ("one", "two", "three \x1b[31mred")
ENDS_S = 30.0


@dataclass(frozen=True)
class Site:
    """`owner` owns the public channel `channel`, `admin` is an admin there, `banned` is banned; the
    owner posted `TEXTS`."""

    suite: Suite
    owner: Person
    admin: Person
    banned: Person
    channel: str

    def run(self, *arguments: str, **variables: str) -> Result:
        """Run a command at it, with the variables that its process has."""
        return ran(self.suite.data, *arguments, PORT=str(self.suite.port), **variables)

    def environment(self, **variables: str) -> dict[str, str]:
        """For commands that run as a process."""
        kept = {name: value for name, value in os.environ.items() if PREFIX not in name}
        told = {"PORT": str(self.suite.port), "DATA": str(self.suite.data), **variables}
        return kept | _prefixed(told)


def ran(data: Path, *arguments: str, **variables: str) -> Result:
    """Run a command at what is in a data folder. Nothing that went wrong is an exception."""
    answer = CliRunner().invoke(rostrum, arguments, env=_prefixed({"DATA": str(data), **variables}))
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer


def document(answer: Result, code: int = 0) -> Any:
    """The JSON document on standard output."""
    assert answer.exit_code == code, answer.output
    return json.loads(answer.stdout)


def lines(text: str) -> list[Any]:
    """JSON, a line each."""
    return [json.loads(line) for line in text.splitlines()]


@asynccontextmanager
async def started(
    environment: Mapping[str, str], *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command as a process of its own; killed at the end if it goes on."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *arguments),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_of(process: asyncio.subprocess.Process) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    async with asyncio.timeout(ENDS_S):
        return (await process.stdout.readline()).decode()


async def populated(suite: Suite, people: People) -> Site:
    """People and a channel at a suite that runs."""
    owner, admin, banned = [await people.person(name) for name in ("olga", "adam", "bela")]
    made = await owner.create("light", title="First \x1b light", visibility="public", handle=HANDLE)
    channel = made["id"]
    for person in (admin, banned):
        await person.join(channel)
    members, bans = f"/v1/channels/{channel}/members", f"/v1/channels/{channel}/bans"
    assert (await owner.ask("PUT", f"{members}/{admin.id}", {"role": "admin"})).status == 200
    assert (await owner.ask("PUT", f"{bans}/{banned.id}")).status in {200, 204}
    for number, text in enumerate(TEXTS):
        await owner.post_surely(channel, text, f"m{number}")
    return Site(suite, owner, admin, banned, channel)


def _prefixed(variables: Mapping[str, str]) -> dict[str, str]:
    return {f"{PREFIX}{name}": value for name, value in variables.items()}
