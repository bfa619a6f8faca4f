"""One process holds a log file. The lock dies with the process, so a restart never waits."""

import fcntl
import os
from pathlib import Path

from libs.log.port import LogInUse


class FileLock:
    """An advisory lock on `<path>.lock`. The file stays; only the lock on it says something."""

    def __init__(self, path: str) -> None:
        self._path = Path(f"{path}.lock")
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises `LogInUse` when another log, here or in another process, has the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise LogInUse(
                f"{self._path} is held: another process has this log open. An embedded log serves "
                "one process: stop the other one, or give this one a file of its own, or use Kafka."
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one in. Without a taken lock nothing happens."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
