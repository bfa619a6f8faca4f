"""How far an import is: a SQLite file with the entry of each message that was taken.

A row is written once the gateway has acknowledged its entry. After a crash the entry that was under
way may lack its row; whoever opens the file again looks for it in the channel.
"""

import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

# Marks the file as one of these ("RsIm"), so that no other database is written to.
APPLICATION = 0x5273496D
VERSION = 1
# Told apart are the imports of one person: their posts begin with it.
IDENTITY_BYTES = 8

TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
    message INTEGER NOT NULL,
    part INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (message, part)
) WITHOUT ROWID;
CREATE TABLE refused (
    message INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    place INTEGER NOT NULL
);
"""


class OtherImport(Exception):
    """The progress file belongs to another import, or is none: what to do instead."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is imported, and how: `file` is its digest, `target` a channel, or `new: ` and the title
    of one that the import makes. A progress file is good for what is equal in all of it."""

    file: str
    chat: str
    target: str
    options: str


class Known(NamedTuple):
    """What an earlier run did with a message: the entry of each part, and the code of its refusal.
    `place` is its number in the file; None when nothing was done."""

    entries: Mapping[int, int]
    code: str | None = None
    place: int | None = None


class Progress:
    """An open progress file, for this process alone."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        """Open it, or make it. Raises `OtherImport`."""
        self._path = path
        self._wanted = wanted
        try:
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
        except sqlite3.Error as fault:
            raise _unusable(path, fault) from fault
        try:
            self._open()
        except sqlite3.DatabaseError as fault:
            self._db.close()
            raise _unusable(path, fault) from fault
        except OtherImport:
            self._db.close()
            raise

    def close(self) -> None:
        """Leave the file to the next run."""
        self._db.close()

    @property
    def identity(self) -> str:
        """What the posts of this import have in common, made with the file."""
        return self._told("identity")

    @property
    def channel(self) -> str | None:
        """The channel that is filled; None when none is settled yet."""
        return self._told("channel") or None

    @property
    def start(self) -> str:
        """The cursor of the channel from before the first post."""
        return self._told("start")

    @property
    def last_entry(self) -> int:
        """The newest entry that is known to be of this import; 0 for none."""
        (newest,) = self._db.execute("SELECT max(entry) FROM entries").fetchone()
        return newest or 0

    def begin(self, channel: str, start: str, author: str) -> None:
        """Fill this channel from now on, as this user."""
        with self._on_disk():
            self._tell({"channel": channel, "start": start, "author": author})

    def check(self, author: str) -> None:
        """Only who began goes on: others would not be told from somebody who posts the same. Raises
        `OtherImport`."""
        if author != self._told("author"):
            raise self._other(f"belongs to an import by the user {self._told('author')}")

    def known(self, message: int) -> Known:
        """What is known of a message."""
        entries = self._db.execute(
            "SELECT part, entry, place FROM entries WHERE message = ?", (message,)
        ).fetchall()
        refusal = self._db.execute(
            "SELECT code, place FROM refused WHERE message = ?", (message,)
        ).fetchone()
        code, place = refusal or (None, entries[0][2] if entries else None)
        return Known({part: entry for part, entry, _ in entries}, code, place)

    def entry_of(self, message: int, *, before: int) -> int | None:
        """The first entry of a message that was taken and stands before a place of the file: what
        comes later counts as little in a second run as in the first."""
        row = self._db.execute(
            "SELECT entry FROM entries WHERE message = ? AND part = 0 AND place < ?",
            (message, before),
        ).fetchone()
        return None if row is None else int(row[0])

    def took(self, message: int, part: int, entry: int, *, place: int) -> None:
        """A part of a message, which stands at `place` of the file, is this entry."""
        self._db.execute(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", (message, part, entry, place)
        )

    def refuse(self, message: int, code: str, *, place: int) -> None:
        """A message will not be taken, for the reason of this code."""
        self._db.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?)", (message, code, place))

    def _open(self) -> None:
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        # Before anything is written: another program's database stays as it is.
        is_new = self._is_new()
        self._db.execute("PRAGMA journal_mode=WAL")
        # A power cut may take the newest rows of posts: the channel tells which, so that they need
        # not wait for the disk. A killed process loses none.
        self._db.execute("PRAGMA synchronous=NORMAL")
        with self._on_disk():
            self._make() if is_new else self._compare()

    def _is_new(self) -> bool:
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != APPLICATION and (application or tables):
            raise sqlite3.DatabaseError("it is another program's database")
        return bool(application != APPLICATION)

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        """A transaction that survives the machine."""
        self._db.execute("BEGIN IMMEDIATE")
        with self._db:
            yield
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _make(self) -> None:
        for statement in TABLES.split(";"):
            self._db.execute(statement)
        self._db.execute(f"PRAGMA application_id={APPLICATION}")
        self._db.execute(f"PRAGMA user_version={VERSION}")
        identity = secrets.token_hex(IDENTITY_BYTES)
        self._tell({"identity": identity} | asdict(self._wanted))

    def _compare(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            raise self._other(f"is of version {version}, and this program writes {VERSION}")
        for name, wanted in asdict(self._wanted).items():
            known = self._told(name)
            if wanted != known and not (name == "target" and wanted == self.channel):
                raise self._other(f"belongs to an import whose {name} is {known}, not {wanted}")

    def _other(self, why: str) -> OtherImport:
        return OtherImport(
            f"{self._path} {why}; name another file with --progress, or delete it to begin anew"
            " (what was posted stays)"
        )

    def _tell(self, rows: Mapping[str, str]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows.items())

    def _told(self, name: str) -> str:
        row = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return "" if row is None else str(row[0])


def _unusable(path: Path, fault: sqlite3.Error) -> OtherImport:
    if "locked" in str(fault):
        return OtherImport(f"{path} is in use: another import runs with it; let it end first")
    return OtherImport(
        f"{path} cannot be used as a progress file ({fault}); name another with --progress"
    )
