"""Secrets are files: mounted by operators, or made once in the embedded mode."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


class SecretMissing(Exception):
    """A secret file is not there, and this mode does not make one."""


class Secrets:
    """A folder of secret files, readable by their owner alone."""

    def __init__(self, folder: Path, *, may_make: bool) -> None:
        self._folder = folder
        self._may_make = may_make

    def get(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The bytes of a secret; made by `make` if missing and allowed. Raises `SecretMissing`."""
        path = self._folder / name
        if path.exists():
            return _not_empty(path)
        if not self._may_make:
            raise SecretMissing(f"{path} is missing: mount the deployment's secret there")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _write_once(path, make())


def random_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(32)


def entropy(size: int) -> bytes:
    """`size` random bytes from the system."""
    return secrets.token_bytes(size)


def _not_empty(path: Path) -> bytes:
    content = path.read_bytes()
    if not content:
        raise SecretMissing(f"{path} is empty: mount the deployment's secret there")
    return content


def _write_once(path: Path, content: bytes) -> bytes:
    # Two processes may start at once: link() lets only the first one win, and both read the winner.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        return path.read_bytes()
    finally:
        draft.unlink()
    return content
