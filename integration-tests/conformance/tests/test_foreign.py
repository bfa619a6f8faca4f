"""A client that shares no code with ours is judged through lines of JSON."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.scenarios import scenarios

INTEGRATION = Path(__file__).parents[2]
SCENARIO = ("entries come again", "poll", "json")
VERDICT_S = 60


class Play:
    """A scenario that is played by a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(VERDICT_S):
            heard: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return heard

    def say(self, what: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    async def code(self) -> int:
        return await self._process.wait()


@asynccontextmanager
async def playing(*arguments: str) -> AsyncIterator[Play]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "conformance", *arguments),
        cwd=INTEGRATION,
        env={"PYTHONPATH": f"{INTEGRATION}:{INTEGRATION.parent}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Play(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def polled(play: Play, polls: int, *, skips: bool) -> None:
    """A client of some lines; without `skips` it breaks the first rule."""
    order = await play.hear()
    token = order["session"]["access_token"]
    ((channel, cursor),) = order["cursors"].items()
    headers = {"authorization": f"Bearer {token}"}
    last = int(cursor.partition("-")[2])
    async with httpx.AsyncClient(base_url=order["urls"][0], headers=headers) as http:
        for _ in range(polls):
            body = {"cursors": {channel: f"1-{last}"}, "wait": 5}
            (part,) = (await http.post("/v1/poll", json=body)).json()["channels"]
            taken = [each for each in part["entries"] if each["id"] > last or not skips]
            for entry in taken:
                play.say({"channel": channel, "received": entry["id"], "type": entry["type"]})
            last = max([last, *(each["id"] for each in taken)])


async def test_a_client_that_keeps_the_rules_is_ok() -> None:
    async with playing(*SCENARIO) as play:
        await polled(play, 2, skips=True)
        assert await play.hear() == {"done": True}
        play.say({"ends": {}})
        assert await play.hear() == {"verdict": "ok"}
        assert await play.code() == 0


async def test_a_client_that_tells_entries_twice_is_not() -> None:
    async with playing(*SCENARIO) as play:
        await polled(play, 1, skips=False)
        # Known at once: nobody waits for what cannot come any more.
        assert "told" in (await play.hear())["verdict"]
        assert await play.code() == 1


@pytest.mark.parametrize("arguments", [(), ("no such", "poll", "json")])
async def test_what_can_be_played_is_listed(arguments: tuple[str, ...]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "conformance", *arguments),
        cwd=INTEGRATION,
        env={"PYTHONPATH": f"{INTEGRATION}:{INTEGRATION.parent}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    if arguments:
        assert (process.returncode, out) == (2, b"")
        assert b"no such scenario" in errors
    else:
        rows = [line.split("\t") for line in out.decode().splitlines()]
        assert {row[0] for row in rows} == set(scenarios())
