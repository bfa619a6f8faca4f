"""A reader that keeps a copy of a channel in SQLite: every message once, whatever is killed when.

    python keep_a_copy.py http://localhost:8080 reader <channel id> <folder>

The cursor is committed in the same transaction as the message, so the copy and the place where it
goes on can never disagree.
"""

import asyncio
import sqlite3
import sys
from getpass import getpass
from pathlib import Path

from rostrum import (
    Client,
    Cursor,
    Ended,
    Entry,
    Event,
    FileSessions,
    Jumped,
    Message,
    Received,
    SqliteCursors,
)

TABLE = """
CREATE TABLE IF NOT EXISTS messages (
    channel TEXT, epoch INTEGER, id INTEGER, sender TEXT, at TEXT, text TEXT, reply_to INTEGER,
    PRIMARY KEY (channel, epoch, id)
) WITHOUT ROWID
"""
INSERT = "INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)"


async def main(url: str, handle: str, channel: str, folder: Path) -> None:
    """Copy until it is ended."""
    async with Client(url, sessions=FileSessions(folder / "session.json")) as client:
        if not client.is_signed_in:
            await client.sign_in(handle, getpass(f"Password of {handle}: "))
        with SqliteCursors(folder / "copy.db") as copy:
            copy.db.execute(TABLE)
            await keep(client, channel, copy)


async def keep(client: Client, channel: str, copy: SqliteCursors) -> None:
    """Go on where the copy ends."""
    async with client.follow({channel: "1-0"}, store=copy) as follower:
        async for event in follower:
            await take(client, copy, event)


async def take(client: Client, copy: SqliteCursors, event: Event) -> None:
    """Copy what happened."""
    if isinstance(event, Ended):
        return
    epoch = Cursor.of(event.cursor).epoch
    if isinstance(event, Received):
        with copy.keeping(event) as db:
            insert(db, event.channel, epoch, event.entry)
        return
    # Too far behind, or in a new epoch: what was left out is in the pages of the channel. A kill in
    # here repeats it, and what is there already is left alone.
    after = copy.load().get(event.channel) if isinstance(event, Jumped) else None
    async for entry in client.history(event.channel, after=after):
        insert(copy.db, event.channel, epoch, entry)
    with copy.keeping(event):
        pass


def insert(db: sqlite3.Connection, channel: str, epoch: int, entry: Entry) -> None:
    """Keep a message; other entries show nothing."""
    if isinstance(entry, Message):
        at = entry.at.isoformat()
        row = (channel, epoch, entry.id, entry.sender, at, entry.text, entry.reply_to)
        db.execute(INSERT, row)


if __name__ == "__main__":
    gateway, name, place, home = sys.argv[1:]
    asyncio.run(main(gateway, name, place, Path(home)))
