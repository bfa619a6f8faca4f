"""What who is at a cursor gets: one decision for all ways of listening."""

from typing import TYPE_CHECKING, NamedTuple

from libs.wire.cursor import Cursor

from .answers import JUMP_BEHIND, Answer, Jump, Reset

if TYPE_CHECKING:
    from .hub import Room


class Here(NamedTuple):
    """Decision: what comes after `after` is in memory, at this moment."""

    after: int


class Park:
    """Decision: nothing is there; wait for it."""


class Fetch:
    """Decision: the answer lies behind the ring; read a page."""


class Ahead:
    """Decision: the cursor is beyond the head that this gateway knows."""


def decide(room: "Room", cursor: Cursor) -> Answer | Here | type[Park | Fetch | Ahead]:
    """What who is at `cursor` gets from `room` at this moment."""
    if cursor.epoch != room.epoch:
        return Reset(room.head, room.first)
    if cursor.id > room.head:
        return Ahead
    if cursor.id == room.head:
        return Park
    if room.head - cursor.id > JUMP_BEHIND or cursor.id + 1 < room.first:
        return Jump(room.head - cursor.id, room.head, room.first)
    return Fetch if cursor.id < room.ring.first - 1 else Here(cursor.id)
