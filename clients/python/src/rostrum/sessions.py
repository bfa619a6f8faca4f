"""Where sessions are kept: in memory, or in a file that survives the program."""

import threading
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec

from rostrum import durable
from rostrum.errors import NotKept
from rostrum.session import Session


class MemorySessions:
    """Until the program ends. Several clients of one program, in any thread, may share it."""

    def __init__(self, session: Session | None = None) -> None:
        self._session = session
        self._lock = threading.Lock()

    def load(self) -> Session | None:
        """See `SessionStore`."""
        return self._session

    def save(self, session: Session | None) -> None:
        """See `SessionStore`."""
        self._session = session

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """See `SessionStore`."""
        await durable.wait_until(lambda: self._lock.acquire(blocking=False), "the session is held")
        try:
            yield
        finally:
            self._lock.release()


class FileSessions:
    """In a file that only its owner reads. Programs that name the same file share the session:
    whoever renews it stores it for all of them. Beside it stands a lock, `<path>.lock`."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def load(self) -> Session | None:
        """See `SessionStore`. Raises `NotKept` when the file is there and cannot be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Session)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as fault:
            what = f"{self._path} is no session that can be read ({fault})"
            raise NotKept(f"{what}: remove it, and sign in again") from fault

    def save(self, session: Session | None) -> None:
        """See `SessionStore`. Raises `NotKept`."""
        if session is None:
            durable.remove(self._path)
        else:
            durable.write(self._path, msgspec.json.encode(session))

    def alone(self) -> AbstractAsyncContextManager[None]:
        """See `SessionStore`. Raises `NotKept`."""
        return durable.alone(self._path.with_name(self._path.name + ".lock"))
