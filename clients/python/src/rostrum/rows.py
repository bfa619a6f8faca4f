"""Posts in a SQLite file: there before they are sent, gone once they are answered."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rostrum.errors import OutboxClosed, OutboxFull

VERSION = 1
# A day of a chatty person, or some minutes of a bot that is cut off; a file of some megabytes.
WAITING_MAX = 10_000
# Only the owner: what is to be said may be private.
MODE = 0o600

_SCHEMA = """
CREATE TABLE owner (user TEXT NOT NULL);
CREATE TABLE posts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    client_id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    reply_to INTEGER
);
CREATE INDEX by_channel ON posts (channel, number);
"""
_ADD = "INSERT INTO posts (channel, client_id, text, reply_to) VALUES (?, ?, ?, ?)"
_FIRST = "SELECT * FROM posts WHERE channel = ? ORDER BY number LIMIT 1"
_ALL = "SELECT * FROM posts ORDER BY number"


class Waiting(NamedTuple):
    """A post that waits. Lower numbers of a channel go first."""

    number: int
    channel: str
    client_id: str
    text: str
    reply_to: int | None


class Rows:
    """The file of an outbox, of one user and of one process at a time. What a method has changed is
    there after any crash once it returns. For one thread. All methods raise `OutboxClosed` when the
    file cannot be used.

    `inherited` is the highest number that an earlier run has left: those may have been sent.
    """

    def __init__(self, path: Path, user: str, waiting_max: int = WAITING_MAX) -> None:
        self._path = path
        self._most = waiting_max
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, MODE))
            self._file = sqlite3.connect(path, timeout=0, isolation_level=None)
        except (OSError, sqlite3.Error) as fault:
            raise OutboxClosed(f"{path} cannot be opened: {fault}") from fault
        try:
            self._open(user)
            self.inherited = self._number("SELECT coalesce(max(number), 0) FROM posts")
        except OutboxClosed:
            self._file.close()
            raise

    def add(self, channel: str, client_id: str, text: str, reply_to: int | None) -> Waiting:
        """Store a post. Raises `OutboxFull`, and `ValueError` when one of this name waits."""
        if self._run("SELECT 1 FROM posts WHERE client_id = ?", client_id):
            raise ValueError(f"a post with client_id={client_id!r} waits already: give another one")
        if self._number("SELECT count(*) FROM posts") >= self._most:
            what = f"{self._most} posts wait in {self._path}: send them with resume first"
            raise OutboxFull(what)
        self._run(_ADD, channel, client_id, text, reply_to)
        number = self._number("SELECT last_insert_rowid()")
        return Waiting(number, channel, client_id, text, reply_to)

    def first(self, channel: str) -> Waiting | None:
        """The post that is to be sent next in a channel."""
        return next((Waiting(*row) for row in self._run(_FIRST, channel)), None)

    def remove(self, client_id: str) -> None:
        """That post waits no more."""
        self._run("DELETE FROM posts WHERE client_id = ?", client_id)

    def waiting(self) -> list[Waiting]:
        """All posts, in the order in which they were stored."""
        return [Waiting(*row) for row in self._run(_ALL)]

    def close(self) -> None:
        """Let others use the file."""
        self._file.close()

    def _open(self, user: str) -> None:
        # Whoever has read or written holds the file alone from then on, until it is closed.
        self._run("PRAGMA locking_mode = EXCLUSIVE")
        with self._all_or_nothing():
            if not self._number("SELECT count(*) FROM sqlite_master"):
                self._make(user)
            if self._number("PRAGMA user_version") != VERSION:
                raise OutboxClosed(f"{self._path} is no outbox of this version: name another file")
            owner = self._run("SELECT user FROM owner")[0][0]
            if owner != user:
                what = f"{self._path} is the outbox of user {owner}, not of {user}"
                raise OutboxClosed(f"{what}: name another file")
        self._run("PRAGMA journal_mode = WAL")
        self._run("PRAGMA synchronous = FULL")

    def _make(self, user: str) -> None:
        for statement in _SCHEMA.split(";"):
            self._run(statement)
        self._run("INSERT INTO owner VALUES (?)", user)
        self._run(f"PRAGMA user_version = {VERSION}")

    @contextlib.contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def _number(self, query: str) -> int:
        return int(self._run(query)[0][0])

    def _run(self, query: str, *values: object) -> list[Any]:
        try:
            return self._file.execute(query, values).fetchall()
        except sqlite3.Error as fault:
            if getattr(fault, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
                what = f"{self._path} is used by another program: give each one its own"
                raise OutboxClosed(what) from fault
            raise OutboxClosed(f"{self._path} cannot be used as an outbox: {fault}") from fault
