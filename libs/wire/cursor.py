"""A member's place in a channel: `"<epoch>-<id>"`, everything up to and including `id` was read."""

import re
from typing import NamedTuple

from libs.wire.codes import Refused

ID_MAX = (1 << 63) - 1
_FORM = re.compile(r"(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})", re.ASCII)


class Cursor(NamedTuple):
    """Epoch (from 1) and the last id that was read (0: nothing yet)."""

    epoch: int
    id: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.id}"


def parse(text: str) -> Cursor:
    """Read a cursor as clients send it. Raises `Refused` (`cursor_malformed`, 400)."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise _malformed(text)
    cursor = Cursor(int(match[1]), int(match[2]))
    if cursor.epoch < 1 or cursor.epoch > ID_MAX or cursor.id > ID_MAX:
        raise _malformed(text)
    return cursor


def _malformed(text: str) -> Refused:
    shown = text[:40]
    return Refused(
        "cursor_malformed",
        f"{shown!r} is not a cursor: send one as it was received, such as 1-1842",
        field="after",
    )
