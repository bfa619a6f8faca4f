"""The program, put together."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from cli.address import Where
from cli.asking import client_of
from cli.chat.app import ChatApp
from cli.chat.courier import Courier
from rostrum.ids import new_client_id

# Only their owner reads what people say and want to say.
FOLDER_MODE = 0o700


def run(where: Where, state: Path, channels: Sequence[str]) -> int:
    """Run it until the person quits. Returns the exit code. Raises `OSError` and `ValueError`."""
    for folder in (state, where.sessions.parent):
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return asyncio.run(_run(where, state, channels))


async def _run(where: Where, state: Path, channels: Sequence[str]) -> int:
    async with client_of(where) as client:
        courier = Courier(client, address=where.url, state=state, channels=channels)
        app = ChatApp(courier, new_client_id)
        await app.run_async()
        await app.ended()
        return app.return_code or 0
