"""People who use the client at a real gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rostrum import Client, SessionStore

PASSWORD = "correct horse"


@asynccontextmanager
async def person(
    url: str, handle: str, *, sessions: SessionStore | None = None
) -> AsyncIterator[Client]:
    """Somebody with an account, signed in."""
    async with Client(url, sessions=sessions) as client:
        await client.sign_up(handle, PASSWORD, name=handle.title())
        await client.sign_in(handle, PASSWORD)
        yield client
