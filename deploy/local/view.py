"""One log of many: new lines of each file, behind the name of who printed them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

# A file that is longer is emptied once it is shown; lines that come in that moment are lost.
FILE_BYTES_MAX = 64 << 20
# What one look takes of one file, so that a chatty one does not keep the others from being shown.
READ_BYTES = 256 << 10


class View:
    """Shows what is added to the files from now on, each line whole, names filled up to `width`."""

    def __init__(self, files: Mapping[str, Path], out: TextIO, width: int) -> None:
        self._files = files
        self._out = out
        self._width = width
        self._seen = {name: _size(path) for name, path in files.items()}
        self._started = dict.fromkeys(files, b"")

    def show(self) -> None:
        """Show what is new."""
        for name, path in self._files.items():
            for line in self._new(name, path):
                self._out.write(f"{name:<{self._width}} | {line}\n")
        self._out.flush()

    def _new(self, name: str, path: Path) -> list[str]:
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._seen[name])
            read = file.read(READ_BYTES)
        self._seen[name] += len(read)
        if len(read) < READ_BYTES and self._seen[name] > FILE_BYTES_MAX:
            os.truncate(path, 0)
            self._seen[name] = 0
        *whole, self._started[name] = (self._started[name] + read).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
