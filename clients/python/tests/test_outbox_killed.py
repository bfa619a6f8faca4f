"""kill -9 at any moment: the next run sends what was stored, and each post shows once, in order."""

import asyncio
import random
from pathlib import Path

import pytest

from clients.python.tests.people import person
from clients.python.tests.programs import started
from harness.suite import Suite
from rostrum import Client, FileSessions, Message

KILLS = 8
AT_ONCE = 4
WITHIN_S = 60.0

POST = """
import asyncio, itertools, sys
from rostrum import Client, FileSessions

async def post(url, folder, channel, run, at_once):
    async with Client(url, sessions=FileSessions(folder + "/session")) as client:
        async with client.outbox(folder + "/outbox") as outbox:
            resumed = await outbox.resume()
            print("resumed", resumed.waiting, len(resumed.refused), flush=True)
            numbers = itertools.count()

            async def post_on():
                for number in numbers:
                    await outbox.post(channel, f"{run} {number}")
                    print("posted", number, flush=True)

            await asyncio.gather(*(post_on() for _ in range(at_once)))

url, folder, channel, run, at_once = sys.argv[1:]
asyncio.run(post(url, folder, channel, run, int(at_once)))
"""


async def test_each_post_that_was_stored_shows_once_and_in_order_over_kills(
    url: str, tmp_path: Path
) -> None:
    async with person(url, "rosa", sessions=FileSessions(tmp_path / "session")) as client:
        channel = (await client.create_channel("Kills")).id
    dice = random.Random(7)
    posted = [
        await posted_until_killed(url, tmp_path, channel, run=run, lines=dice.randrange(1, 40))
        for run in range(KILLS)
    ]
    await resume_and_check(url, tmp_path, channel, posted)


@pytest.mark.timeout(180)
async def test_posts_outlive_a_gateway_and_a_program_that_are_both_killed(tmp_path: Path) -> None:
    async with Suite(tmp_path / "data", session_hash_memory_kib="8192") as suite:
        sessions = FileSessions(tmp_path / "session")
        async with person(suite.url, "ada", sessions=sessions) as client:
            channel = (await client.create_channel("Kills")).id
        program = await started(POST, *(suite.url, str(tmp_path), channel, "0", str(AT_ONCE)))
        seen = await lines_of(program.stdout, 10)
        await suite.kill()
        program.kill()
        await program.wait()
        await suite.start()
        posted = [[int(line[1]) for line in seen if line[0] == "posted"]]
        await resume_and_check(suite.url, tmp_path, channel, posted)


async def posted_until_killed(
    url: str, folder: Path, channel: str, *, run: int, lines: int
) -> list[int]:
    """The numbers that a run said it had posted before it was killed."""
    program = await started(POST, *(url, str(folder), channel, str(run), str(AT_ONCE)))
    seen = await lines_of(program.stdout, lines)
    program.kill()
    await program.wait()
    assert seen[0] == ["resumed", "0", "0"]
    return [int(line[1]) for line in seen[1:]]


async def lines_of(output: asyncio.StreamReader | None, count: int) -> list[list[str]]:
    assert output is not None
    async with asyncio.timeout(WITHIN_S):
        return [(await output.readline()).decode().split() for _ in range(count)]


async def resume_and_check(url: str, folder: Path, channel: str, posted: list[list[int]]) -> None:
    async with Client(url, sessions=FileSessions(folder / "session")) as client:
        async with client.outbox(folder / "outbox") as outbox:
            assert (await outbox.resume()).waiting == 0
        shown: list[list[int]] = [[] for _ in posted]
        runs: list[int] = []
        async for entry in client.history(channel):
            if isinstance(entry, Message):
                run, number = map(int, entry.text.split())
                runs.append(run)
                shown[run].append(number)
    assert runs == sorted(runs)
    for numbers, said in zip(shown, posted, strict=True):
        assert numbers == list(range(len(numbers)))
        assert set(said) <= set(numbers)
