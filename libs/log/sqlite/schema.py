"""The tables of the embedded log, and how a connection to them is opened."""

import sqlite3
from pathlib import Path

from libs.log.port import LogUnavailable

MEMORY = ":memory:"
VERSION = 1
PAGE_BYTES = 4096
# Only an operator's own sqlite shell can hold the file besides us; it gets this long to let go.
BUSY_S = 5.0
# After a burst the write-ahead file is cut back to this, or it would keep its largest size.
WAL_BYTES_KEPT = 64 << 20

# `place` is the partition's id and the offset in one integer (see `place`), so that the table is
# its own index in the order in which it is read, and an append touches one tree.
# `floor`: below it the records are deleted. `compacted`: below it each key occurs once.
# `latest`: where the last record of a key is, for compacted topics only.
TABLES = """
CREATE TABLE topics (
    name TEXT PRIMARY KEY,
    partitions INTEGER NOT NULL,
    cleanup TEXT NOT NULL,
    kept_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE partitions (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    idx INTEGER NOT NULL,
    first INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL DEFAULT 0,
    at_ms INTEGER NOT NULL DEFAULT 0,
    floor INTEGER NOT NULL DEFAULT 0,
    compacted INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, idx)
);
CREATE INDEX partitions_to_drop ON partitions (id) WHERE floor < first;
CREATE TABLE records (
    place INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL
);
CREATE TABLE latest (
    partition INTEGER NOT NULL,
    key BLOB NOT NULL,
    place INTEGER NOT NULL,
    dead_ms INTEGER,
    PRIMARY KEY (partition, key)
) WITHOUT ROWID;
CREATE INDEX latest_dead ON latest (dead_ms) WHERE dead_ms IS NOT NULL;
CREATE TABLE committed (
    name TEXT NOT NULL,
    topic TEXT NOT NULL,
    idx INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (name, topic, idx)
) WITHOUT ROWID;
"""

OFFSET_BITS = 40


def place(partition_id: int, offset: int) -> int:
    """Where a record is in the table: room for 2^40 offsets in each of 2^22 partitions."""
    return partition_id << OFFSET_BITS | offset


def offset_of(place_: int) -> int:
    """The offset in a place."""
    return place_ & ((1 << OFFSET_BITS) - 1)


def connect_writer(path: str, *, bytes_max: int | None) -> sqlite3.Connection:
    """The connection that writes; makes the tables in a new file. Raises `LogUnavailable`."""
    try:
        connection = _connect(path)
        if path != MEMORY:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
        connection.execute("PRAGMA synchronous = FULL")
        _make_tables(connection, path)
        if bytes_max is not None:
            connection.execute(f"PRAGMA max_page_count = {max(1, bytes_max // PAGE_BYTES)}")
    except sqlite3.Error as error:
        raise LogUnavailable(f"{path} cannot be opened: {error}") from error
    return connection


def connect_reader(path: str) -> sqlite3.Connection:
    """A connection that only reads, to a file that the writer opened. Raises `LogUnavailable`."""
    try:
        connection = _connect(path)
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise LogUnavailable(f"{path} cannot be opened: {error}") from error
    return connection


def connect_inspector(path: str) -> sqlite3.Connection:
    """A connection to a file that another process may write: nothing is made, locked or written.
    Raises `LogUnavailable`."""
    if path == MEMORY:
        raise LogUnavailable("a log in memory is seen by its own process only")
    if not Path(path).exists():
        raise LogUnavailable(f"there is no log at {path}")
    try:
        where = f"{Path(path).absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(where, uri=True, timeout=BUSY_S, isolation_level=None)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise LogUnavailable(f"{path} cannot be opened: {error}") from error
    if version != VERSION:
        connection.close()
        raise _other_version(path, version)
    return connection


def _connect(path: str) -> sqlite3.Connection:
    # No isolation level: the worker says BEGIN and COMMIT itself.
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)


def _make_tables(connection: sqlite3.Connection, path: str) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version != 0 or connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() != (0,):
        raise _other_version(path, version)
    # One transaction: a process killed here leaves an empty file, which is made anew.
    connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def _other_version(path: str, version: int) -> LogUnavailable:
    return LogUnavailable(f"{path} was not written by this version of the log ({version})")
