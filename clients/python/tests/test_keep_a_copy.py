"""The copy has every message once."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from clients.python.tests.programs import ended, example
from clients.python.tests.stage import WITHIN_S, channel_for, messages
from harness.suite import Suite
from libs.testing.eventually import eventually
from rostrum import Client

KILLS = 6
# More than a follower is sent: it is told to jump, and reads pages.
BEFORE = 1_500
EACH = 50
AT_ONCE = 8


@pytest.mark.timeout(240)
async def test_the_copy_is_the_channel_however_often_reader_and_gateway_are_killed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    async with (
        Suite(tmp_path / "data", session_hash_memory_kib="8192") as suite,
        channel_for("reader", suite.url, folder) as (owner, channel),
    ):
        words = (suite.url, "reader", channel, str(folder))
        await _post(owner, channel, BEFORE)
        for kill in range(KILLS):
            async with _reader(*words):
                await _post(owner, channel, EACH)
                await _until_copied(folder, (BEFORE + EACH * KILLS) // KILLS * kill + 1)
                await _restart(suite, kill)
        async with _reader(*words):
            await _until_copied(folder, BEFORE + EACH * KILLS)
        posted = [(one.id, one.text) for one in await messages(owner, channel)]
    assert copied(folder) == posted
    assert len(posted) == BEFORE + EACH * KILLS


@asynccontextmanager
async def _reader(*words: str) -> AsyncIterator[None]:
    reader = await example("keep_a_copy", *words)
    try:
        yield
    finally:
        await ended(reader)


async def _restart(suite: Suite, kill: int) -> None:
    """The gateway is killed with every other reader."""
    if kill % 2:
        await suite.kill()
        await suite.start()


async def _post(owner: Client, channel: str, count: int) -> None:
    numbers = iter(range(count))

    async def post_some() -> None:
        for number in numbers:
            await owner.post(channel, f"text {number}")

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(post_some())


async def _until_copied(folder: Path, count: int) -> None:
    await eventually(
        lambda: len(copied(folder)) >= count,
        within_s=WITHIN_S,
        every_s=0.05,
        what=f"{count} messages are copied",
    )


def copied(folder: Path) -> list[tuple[int, str]]:
    """What is in the copy; nothing while there is none."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/copy.db?mode=ro", uri=True)) as copy:
            return copy.execute("SELECT id, text FROM messages ORDER BY id").fetchall()
    except sqlite3.OperationalError:
        return []
