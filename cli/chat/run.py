"""The program, put together."""

from collections.abc import Sequence
from pathlib import Path

from cli.address import Where
from cli.chat.app import ChatApp
from cli.chat.courier import Courier
from rostrum import Client, FileSessions, MemorySessions, Session
from rostrum.ids import new_client_id

# Only their owner reads what people say and want to say.
FOLDER_MODE = 0o700


async def run(where: Where, state: Path, channels: Sequence[str]) -> int:
    """Run it until the person quits. Returns the exit code. Raises `OSError` and `ValueError`."""
    state.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if where.token is None:
        where.sessions.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        sessions = FileSessions(where.sessions)
    else:
        sessions = MemorySessions(Session.of_token(where.token))
    async with Client(where.url, sessions=sessions) as client:
        courier = Courier(client, address=where.url, state=state, channels=channels)
        app = ChatApp(courier, new_client_id)
        await app.run_async()
        return app.return_code or 0
