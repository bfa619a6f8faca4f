"""Cursors in a database of SQLite, beside what is made of the events."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rostrum.events import Placed

# Another process that writes to the same file is waited for so long.
LOCKED_S = 10.0
_TABLE = """
create table if not exists rostrum_cursors (channel text primary key, cursor text not null)
without rowid
"""
_SAVE = """
insert into rostrum_cursors (channel, cursor) values (?, ?)
on conflict (channel) do update set cursor = excluded.cursor
"""


class SqliteCursors:
    """Keeps cursors in the table `rostrum_cursors` of a file, and your rows with them:

        with store.keeping(event) as db:
            db.execute("insert into messages values (?, ?)", (event.entry.id, event.entry.text))

    commits both or neither. So each event counts once, whatever is killed when. After a loss of
    power the newest events may be gone, from both, and come again.

    Two threads do not use it at once. Leave it by `close` or as a context manager.
    """

    def __init__(self, path: str | Path, *, locked_s: float = LOCKED_S) -> None:
        # Transactions are begun here by hand; the module would begin them where it sees fit.
        self.db = sqlite3.connect(
            path, timeout=locked_s, isolation_level=None, check_same_thread=False
        )
        try:
            self.db.execute("pragma journal_mode = wal")
            # A commit need not wait for the disk: a kill loses nothing, and a loss of power takes
            # rows and cursor alike.
            self.db.execute("pragma synchronous = normal")
            self.db.execute(_TABLE)
            self._kept = self.load()
        except BaseException:
            self.db.close()
            raise

    def __enter__(self) -> "SqliteCursors":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. What was not committed is not kept."""
        self.db.close()

    def load(self) -> dict[str, str]:
        """See `CursorStore`."""
        return dict(self.db.execute("select channel, cursor from rostrum_cursors"))

    def save(self, channel: str, cursor: str) -> None:
        """See `CursorStore`. Nothing is written for an event that was kept by `keeping`."""
        if self._kept.get(channel) != cursor:
            self.db.execute(_SAVE, (channel, cursor))
            self._kept[channel] = cursor

    @contextmanager
    def keeping(self, event: Placed) -> Iterator[sqlite3.Connection]:
        """A transaction for your rows that the cursor of `event` is committed with, or, when an
        error leaves it, nothing. Ask the follower for nothing in between."""
        self.db.execute("begin immediate")
        try:
            yield self.db
            self.db.execute(_SAVE, (event.channel, event.cursor))
            self.db.execute("commit")
        except BaseException:
            # An error of SQLite may have ended the transaction already.
            if self.db.in_transaction:
                self.db.execute("rollback")
            raise
        self._kept[event.channel] = event.cursor
