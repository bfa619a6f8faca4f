"""Where cursors are kept, so that a follower goes on after a restart."""

from typing import Protocol

from rostrum.cursors.file import FileCursors as FileCursors
from rostrum.cursors.memory import MemoryCursors as MemoryCursors
from rostrum.cursors.sqlite import SqliteCursors as SqliteCursors


class CursorStore(Protocol):
    """Keeps the cursor of each channel. One follower uses it at a time. A follower calls it between
    two events, from its event loop: it should not take long."""

    def load(self) -> dict[str, str]:
        """The cursor of each channel that one was saved of."""

    def save(self, channel: str, cursor: str) -> None:
        """Everything up to `cursor` was handled. What was saved is there after the process was
        killed, unless the store says otherwise."""
