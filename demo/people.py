"""Who takes part: an owner with a channel, and followers with an account and a session each."""

import asyncio

from rostrum import Client
from rostrum.ids import new_client_id

PASSWORD = "a demo keeps no secrets"
# As many sign in at once: gateways hash two passwords at a time, and 64 may wait.
AT_ONCE = 8
HANDLE_CHARS = 12


async def signed_up(client: Client, name: str) -> str:
    """A new account, of a handle that nobody has, and a session; returns who it is."""
    handle = f"{name}_{new_client_id().lower().replace('-', '_')[:HANDLE_CHARS]}"
    user = await client.sign_up(handle, PASSWORD, name=name.title())
    await client.sign_in(handle, PASSWORD, device="demo")
    return user.id


async def tokens(url: str, count: int) -> list[str]:
    """So many people, each with an access token. Raises `RostrumError`."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> str:
        async with gate, Client(url) as client:
            await signed_up(client, "follower")
            return client.session.access_token

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(count)]
    return [task.result() for task in tasks]
