"""What the tests of the examples share: a channel that somebody else owns, and what is in it."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from clients.python.tests.people import person
from rostrum import Client, FileSessions, Message

WITHIN_S = 60.0


@asynccontextmanager
async def channel_for(handle: str, url: str, folder: Path) -> AsyncIterator[tuple[Client, str]]:
    """Its owner, and the id of a channel to which everybody may post. `handle` has an account, and
    a session in the folder."""
    sessions = FileSessions(folder / "session.json")
    async with (
        person(url, f"{handle}_owner") as owner,
        person(url, handle, sessions=sessions),
    ):
        channel = await owner.create_channel("Examples", visibility="public", posting="everyone")
        yield owner, channel.id


async def messages(client: Client, channel: str) -> list[Message]:
    found = [entry async for entry in client.history(channel)]
    return [entry for entry in found if isinstance(entry, Message)]


async def line_of(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        return (await process.stdout.readline()).decode().strip()
