"""Cursors in a file of JSON, `{"<channel>": "<cursor>"}`."""

from pathlib import Path

import msgspec

from rostrum import durable


class FileCursors:
    """Writes the whole file anew with each cursor and waits until the disk has it: fine for some
    channels with a few events a second. For more, or to lose and repeat nothing over a kill, use
    `SqliteCursors`. An event that was handled when the process was killed may come once more."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._cursors = self.load()

    def load(self) -> dict[str, str]:
        """See `CursorStore`. Raises `ValueError` when the file holds something else."""
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            return msgspec.json.decode(raw, type=dict[str, str])
        except (msgspec.MsgspecError, UnicodeError) as fault:
            raise ValueError(
                f"{self._path} does not hold cursors ({fault}): name another file, or remove it "
                "to begin where each channel is now"
            ) from fault

    def save(self, channel: str, cursor: str) -> None:
        """See `CursorStore`. It is there after a loss of power too. Raises `NotKept`."""
        if self._cursors.get(channel) == cursor:
            return
        cursors = {**self._cursors, channel: cursor}
        durable.write(self._path, msgspec.json.encode(cursors))
        self._cursors = cursors
