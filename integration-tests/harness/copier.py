"""A program that keeps a local copy of channels: `python -m harness.copier`, its order on stdin.

It is what a bot with a database is: it may be killed at any moment, and goes on when it is started
again. Each entry is one row, and an entry that came twice would break the key of the table.
"""

import asyncio
import json
import sys
from typing import Any

from rostrum import Client, FileSessions, Follower, Message, Received, SqliteCursors, Void
from rostrum.model import Entry

TABLES = (
    "create table if not exists copies (channel text, id integer, type text, text text,"
    " primary key (channel, id))",
    "create table if not exists lives (life integer primary key, way text, counts text)",
)


async def copy(order: dict[str, Any]) -> None:
    """Copy as ordered, until it is killed."""
    cursors = dict.fromkeys(order["channels"], "1-0")
    with SqliteCursors(order["copy"]) as store:
        for table in TABLES:
            store.db.execute(table)
        (life,) = store.db.execute("select count(*) from lives").fetchone()
        async with (
            Client(order["urls"], sessions=FileSessions(order["session"])) as client,
            client.follow(cursors, store=store, ways=order["ways"]) as follower,
        ):
            await _copy_all(follower, store, life)


async def _copy_all(follower: Follower, store: SqliteCursors, life: int) -> None:
    async for event in follower:
        # Nothing else may come: nobody is a thousand entries behind, or banned.
        assert isinstance(event, Received), event
        kind, text = _shown(event.entry)
        row = (event.channel, event.entry.id, kind, text)
        counts = json.dumps(vars(follower.counts))
        with store.keeping(event) as db:
            db.execute("insert into copies values (?, ?, ?, ?)", row)
            db.execute(
                "insert or replace into lives values (?, ?, ?)", (life, follower.way, counts)
            )


def _shown(entry: Entry) -> tuple[str, str | None]:
    match entry:
        case Message():
            return "message", entry.text
        case Void():
            return "void", None
        case _:
            return entry.type, None


if __name__ == "__main__":
    asyncio.run(copy(json.loads(sys.stdin.readline())))
