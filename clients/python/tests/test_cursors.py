"""Stores of cursors: what was saved is there again, and rows and cursor are one."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rostrum import NotKept
from rostrum.cursors import CursorStore, FileCursors, MemoryCursors, SqliteCursors
from rostrum.events import Jumped

EVENT = Jumped("a", "1-9", 1, 9, 1)
Opened = Callable[[Path], CursorStore]
LASTING = [FileCursors, SqliteCursors]
SRC = Path(__file__).parents[1] / "src"


@pytest.mark.parametrize("kind", [lambda _: MemoryCursors(), *LASTING])
def test_each_channel_has_the_cursor_that_was_saved_last(kind: Opened, tmp_path: Path) -> None:
    opened = kind(tmp_path / "cursors")
    assert opened.load() == {}
    for cursor in ("1-4", "1-4", "1-5"):
        opened.save("a", cursor)
    opened.save("b", "2-0")
    assert opened.load() == {"a": "1-5", "b": "2-0"}


@pytest.mark.parametrize("kind", LASTING)
def test_what_was_saved_is_there_after_a_restart(kind: Opened, tmp_path: Path) -> None:
    for cursor in ("1-4", "1-5"):
        kind(tmp_path / "cursors").save("a", cursor)
    assert kind(tmp_path / "cursors").load() == {"a": "1-5"}


SAVES = """
from rostrum.cursors import {kind} as Store
store = Store({path!r})
for n in range(100):
    store.save("a", f"1-{{n}}")
"""
KEEPS = """
from rostrum.cursors import SqliteCursors
from rostrum.events import Jumped
store = SqliteCursors({path!r})
store.db.execute("create table copies (id)")
for n in range(100):
    with store.keeping(Jumped("a", f"1-{{n}}", 1, 100, 1)) as db:
        db.execute("insert into copies values (?)", (n,))
        if n == 50:
            die()
"""
DIES = """
import os, signal
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_in(code: str) -> None:
    """A process of its own that runs `code` and is killed there, or at the end."""
    environ = {**os.environ, "PYTHONPATH": str(SRC)}
    command = [sys.executable, "-c", f"{DIES}{code}\ndie()"]
    ended = subprocess.run(command, env=environ, check=False)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize("kind", LASTING)
def test_what_was_saved_is_there_after_a_kill(kind: Any, tmp_path: Path) -> None:
    killed_in(SAVES.format(kind=kind.__name__, path=str(tmp_path / "cursors")))
    assert kind(tmp_path / "cursors").load() == {"a": "1-99"}


def test_who_is_killed_amid_rows_and_cursor_keeps_neither(tmp_path: Path) -> None:
    killed_in(KEEPS.format(path=str(tmp_path / "copy.db")))
    with SqliteCursors(tmp_path / "copy.db") as store:
        assert store.load() == {"a": "1-49"}
        assert list(store.db.execute("select max(id) from copies")) == [(49,)]


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"a": 1}', b'{"a": "\xff"}'])
def test_a_file_of_something_else_is_left_alone(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"notes\.txt does not hold cursors"):
        FileCursors(path)
    assert path.read_bytes() == raw


def test_a_save_that_failed_can_be_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    store = FileCursors(folder / "cursors")
    with pytest.raises(NotKept):
        store.save("a", "1-4")
    folder.mkdir()
    store.save("a", "1-4")
    assert FileCursors(folder / "cursors").load() == {"a": "1-4"}


def test_rows_and_cursor_are_committed_together(tmp_path: Path) -> None:
    path = tmp_path / "copy.db"
    with SqliteCursors(path) as store:
        store.db.execute("create table copies (text)")
        with store.keeping(EVENT) as db:
            db.execute("insert into copies values ('hello')")
        store.save("a", EVENT.cursor)
    with SqliteCursors(path) as store:
        assert store.load() == {"a": "1-9"}
        assert list(store.db.execute("select text from copies")) == [("hello",)]


def test_an_error_leaves_neither_rows_nor_cursor(tmp_path: Path) -> None:
    """Whether it is the caller's, or of SQLite, which ends the transaction itself."""
    with SqliteCursors(tmp_path / "copy.db") as store:
        store.db.execute("create table copies (text unique)")
        for what in ("insert", "insert or rollback"):
            with pytest.raises(sqlite3.IntegrityError):
                keep(store, *[f"{what} into copies values ('hello')"] * 2)
        assert store.load() == {}
        assert not list(store.db.execute("select text from copies"))
        keep(store, "insert into copies values ('hello')")
        assert store.load() == {"a": "1-9"}


def keep(store: SqliteCursors, *statements: str) -> None:
    with store.keeping(EVENT) as db:
        for statement in statements:
            db.execute(statement)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("this is a file of text, however long" * 9)
    with pytest.raises(sqlite3.DatabaseError):
        SqliteCursors(tmp_path / "copy.db")


def test_a_file_that_another_one_writes_to_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with (
        SqliteCursors(tmp_path / "copy.db") as other,
        SqliteCursors(tmp_path / "copy.db", locked_s=0.1) as store,
        other.keeping(EVENT),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        store.save("a", "1-9")
