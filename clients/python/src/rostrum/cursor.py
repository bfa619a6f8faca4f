"""A place in a channel: `"<epoch>-<id>"`, everything up to and including `id` was read."""

import re
from typing import NamedTuple

ID_MAX = (1 << 63) - 1
_FORM = re.compile(r"([1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})", re.ASCII)
# Of text that is no cursor, in the message: enough to tell what it is instead.
SHOWN_CHARS_MAX = 40


class Cursor(NamedTuple):
    """Epoch (from 1) and the last id that was read (0: nothing yet)."""

    epoch: int
    id: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.id}"

    @classmethod
    def of(cls, text: str) -> "Cursor":
        """Read a cursor as a gateway gave it. Raises `ValueError` for any other text."""
        found = _FORM.fullmatch(text)
        if found is None or max(int(found[1]), int(found[2])) > ID_MAX:
            raise ValueError(
                f"{text[:SHOWN_CHARS_MAX]!r} is not a cursor: give one as it was received, "
                "such as 1-1842"
            )
        return cls(int(found[1]), int(found[2]))
