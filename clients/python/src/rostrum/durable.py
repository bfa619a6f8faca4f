"""Files that are there after a crash, whole, and that nobody else on the machine can read."""

import asyncio
import contextlib
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import ceil
from pathlib import Path

from rostrum.errors import NotKept

# Only the owner: what is kept here signs in.
MODE = 0o600
# Whoever renews a session gives up before this; who holds longer stands still.
ALONE_S = 60.0
# Others renew in some milliseconds: who waits does not sleep through it.
ALONE_EVERY_S = 0.05


def write(path: Path, content: bytes) -> None:
    """Replace the file: after a crash it holds the old content or the new one, and once this has
    returned the new one. Raises `NotKept`."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as fault:
        raise NotKept(f"{path} cannot be written ({fault}): mend that, or name another") from fault


def remove(path: Path) -> None:
    """The file is gone, after a crash too. Raises `NotKept`."""
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as fault:
        raise NotKept(f"{path} cannot be removed ({fault}): remove it yourself") from fault


def sync_folder(folder: Path) -> None:
    """Names in the folder are there after a crash."""
    # Where folders cannot be opened (Windows) their entries are written with the files.
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@asynccontextmanager
async def alone(path: Path) -> AsyncIterator[None]:
    """Nobody else, in this process or another one, is in here with the same path. The system lets
    the next one in when a process dies. Raises `NotKept` when others take `ALONE_S` seconds."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, MODE))
    except OSError as fault:
        raise NotKept(f"{path} cannot be made ({fault}): mend that, or name another") from fault
    # SQLite's lock of a file is the one that the standard library has on every platform.
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as lock:
        await wait_until(lambda: _locked(lock), f"{path} is locked")
        yield


async def wait_until(is_mine: Callable[[], bool], what: str, within_s: float = ALONE_S) -> None:
    """Ask until it says yes. Raises `NotKept` after `within_s` seconds."""
    for _ in range(ceil(within_s / ALONE_EVERY_S)):
        if is_mine():
            return
        await asyncio.sleep(ALONE_EVERY_S)
    why = f"{what} for {within_s:g} s by another program: end it, or give each one its own"
    raise NotKept(why)


def _locked(lock: sqlite3.Connection) -> bool:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as fault:
        if fault.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return False
        raise NotKept(f"a lock cannot be had ({fault})") from fault
    return True
