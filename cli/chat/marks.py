"""Up to where each channel was read, kept for the next run."""

import asyncio
from pathlib import Path
from typing import Never

from rostrum import Cursor, FileCursors

# What was read is kept so often: a kill shows the messages of the last moment as unread once more.
EVERY_S = 1.0


class Marks:
    """The file of cursors. Raises `ValueError` when it holds something else."""

    def __init__(self, path: Path) -> None:
        self._store = FileCursors(path)
        self._kept = self._store.load()
        self._news: dict[str, str] = {}

    def of(self, channel: str) -> str | None:
        """Where the person was; None in a channel that is new to them."""
        return self._news.get(channel) or self._kept.get(channel)

    def note(self, channel: str, cursor: Cursor) -> None:
        """The person is here now."""
        self._news[channel] = str(cursor)

    def save(self) -> None:
        """Write what is new; it is on the disk then. Raises `OSError`."""
        while self._news:
            channel, cursor = self._news.popitem()
            self._store.save(channel, cursor)
            self._kept[channel] = cursor

    async def run(self) -> Never:
        """Save every moment."""
        while True:
            await asyncio.sleep(EVERY_S)
            await asyncio.to_thread(self.save)
