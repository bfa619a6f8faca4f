"""Cursors in memory."""


class MemoryCursors:
    """Forgets all when the process ends; for tests, and for those who keep cursors themselves."""

    def __init__(self) -> None:
        self._cursors: dict[str, str] = {}

    def load(self) -> dict[str, str]:
        """See `CursorStore`."""
        return dict(self._cursors)

    def save(self, channel: str, cursor: str) -> None:
        """See `CursorStore`."""
        self._cursors[channel] = cursor
