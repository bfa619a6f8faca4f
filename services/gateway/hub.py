"""Rooms and waiters: who is parked on which channel, and what they are told. No I/O, no tasks.

A waiter is one slotted object in its room's list. It is parked when its cursor is the room's head,
and leaves when it is answered, refused, expired or gone.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable

from libs.wire.codes import Problem
from libs.wire.cursor import Cursor
from libs.wire.entries import Entry

from . import answers
from .answers import ENTRIES_MAX, JUMP_BEHIND, Writer
from .deadlines import Wheel
from .ring import ENTRIES_KEPT, Ring

NOWHERE = -1
# Answers that a room remembers: those who wait share one cursor, a few more lag a little behind.
# Each holds up to `ENTRIES_MAX` entries and is not in the budget of the rings.
SAID_MAX = 16


class Waiter(ABC):
    """A parked connection of `user`, who has read up to `after`. Parsers subclass it."""

    __slots__ = ("after", "bucket", "is_gone", "peers", "place", "room", "user")

    def __init__(self, user: str, after: int) -> None:
        self.user = user
        self.after = after
        self.place = NOWHERE
        self.bucket = 0
        self.is_gone = False
        self.room: Room | None = None
        self.peers: list[Waiter] = []

    @abstractmethod
    def answer(self, body: bytes) -> None:
        """Send a poll answer."""

    @abstractmethod
    def refuse(self, problem: Problem) -> None:
        """Send a problem."""


class Room:
    """A channel that somebody here listens to, or did a moment ago."""

    __slots__ = (
        "_said",
        "channel",
        "claim_offset",
        "epoch",
        "first",
        "idle_since",
        "ring",
        "waiters",
        "waking",
        "writer",
    )

    def __init__(
        self, channel: str, *, epoch: int, first: int, claim_offset: int, writer: Writer
    ) -> None:
        self.channel = channel
        self.epoch = epoch
        self.first = first
        self.claim_offset = claim_offset
        self.ring = Ring(0)
        self.writer = writer
        self.waiters: list[Waiter] = []
        self.waking = False
        self.idle_since: float | None = None
        self._said: dict[int, bytes] = {}

    @property
    def head(self) -> int:
        """The last id that this gateway knows."""
        return self.ring.head

    def take(self, entries: Iterable[Entry]) -> bool:
        """Append what comes next. False when an entry is missing in between: fetch it."""
        for entry in entries:
            if entry.id > self.ring.head + 1:
                return False
            if entry.id == self.ring.head + 1:
                self.ring.append(answers.entry(entry))
                self._said.clear()
        return True

    def restart(self, entries: Iterable[Entry], head: int) -> None:
        """Begin the ring anew with the newest entries, up to `head`."""
        newest = list(entries)
        self.ring = Ring(newest[0].id - 1 if newest else head)
        self._said.clear()
        self.take(newest)

    def said(self, after: int) -> bytes | None:
        """The answer for a cursor at `after`; None when it is behind the ring. The same bytes for
        everybody with that cursor, until the next entry."""
        known = self._said.get(after)
        if known is not None:
            return known
        if after < self.ring.first - 1:
            return None
        encoded = self.ring.after(after, ENTRIES_MAX)
        body = self.writer.entries(encoded, after + len(encoded), self.head)
        if len(self._said) >= SAID_MAX:
            self._said.clear()
        self._said[after] = body
        return body

    def seat(self, waiter: Waiter) -> None:
        """Put a waiter into the room."""
        waiter.room = self
        waiter.place = len(self.waiters)
        self.waiters.append(waiter)

    def unseat(self, waiter: Waiter) -> None:
        """Take a waiter out: the last one takes its place, so that it costs O(1)."""
        last = self.waiters.pop()
        if last is not waiter:
            self.waiters[waiter.place] = last
            last.place = waiter.place
        waiter.room = None
        waiter.place = NOWHERE


class Park:
    """Decision: nothing is there; wait for it."""


class Fetch:
    """Decision: the answer lies behind the ring; read a page."""


class Ahead:
    """Decision: the cursor is beyond the head that this gateway knows."""


def decide(room: Room, cursor: Cursor | None) -> bytes | type[Park | Fetch | Ahead]:
    """What a poll with `cursor` gets from `room` at this moment."""
    if cursor is None:
        return room.writer.entries((), room.head, room.head)
    if cursor.epoch != room.epoch:
        return room.writer.reset(room.head, room.first)
    if cursor.id > room.head:
        return Ahead
    if cursor.id == room.head:
        return Park
    if room.head - cursor.id > JUMP_BEHIND or cursor.id + 1 < room.first:
        return room.writer.jump(room.head - cursor.id, room.head, room.first)
    return room.said(cursor.id) or Fetch


class Hub:
    """All rooms of this gateway, their deadlines, and one budget of bytes for their rings."""

    def __init__(self, *, now_s: float, ring_bytes: int) -> None:
        self.rooms: OrderedDict[str, Room] = OrderedDict()
        self._wheel: Wheel[Waiter] = Wheel(now_s)
        self._bytes_max = ring_bytes
        self.is_draining = False
        self.reconnect_after_ms = 0

    def add(self, room: Room) -> None:
        """A room that has its snapshot."""
        self.rooms[room.channel] = room

    def room(self, channel: str) -> Room | None:
        """The channel's room, which counts as used now."""
        room = self.rooms.get(channel)
        if room is not None:
            self.rooms.move_to_end(channel)
        return room

    def park(self, waiter: Waiter, room: Room, until_s: float, *, peers: list[Waiter]) -> None:
        """Park a waiter until something comes, or until `until_s`. It is also kept in `peers`, the
        waiters that rely on the same grant."""
        room.idle_since = None
        room.seat(waiter)
        waiter.peers = peers
        peers.append(waiter)
        waiter.bucket = self._wheel.add(waiter, until_s)

    def leave(self, waiter: Waiter) -> None:
        """The waiter is answered or gone. Harmless for one that is not parked."""
        if waiter.room is None:
            return
        waiter.room.unseat(waiter)
        waiter.peers.remove(waiter)
        self._wheel.remove(waiter, waiter.bucket)

    def expire(self, now_s: float) -> int:
        """Answer those whose time has come with their cursor. Returns how many."""
        count = 0
        for waiter in self._wheel.expire(now_s):
            room = waiter.room
            if room is None:
                continue
            self.leave(waiter)
            # What came meanwhile and is not in the ring any more is found by the next poll.
            nothing = room.writer.entries((), waiter.after, room.head)
            waiter.answer(room.said(waiter.after) or nothing)
            count += 1
        return count

    def idle(self, now_s: float, linger_s: float) -> list[Room]:
        """Remove and return the rooms that had no waiter for `linger_s` seconds."""
        ended = []
        for room in list(self.rooms.values()):
            if room.waiters:
                continue
            if room.idle_since is None:
                room.idle_since = now_s
            elif now_s - room.idle_since >= linger_s:
                del self.rooms[room.channel]
                ended.append(room)
        return ended

    def trim(self) -> int:
        """Bring the rings under their budget, least recently used first. Returns the bytes held."""
        held = sum(room.ring.bytes for room in self.rooms.values())
        for room in self.rooms.values():
            if held <= self._bytes_max:
                break
            before = room.ring.bytes
            room.ring.shrink(ENTRIES_KEPT if room.waiters else 0)
            held -= before - room.ring.bytes
        return held

    def drain(self, reconnect_after_ms: int) -> int:
        """Answer everybody, from now on: poll elsewhere, with the same cursor. Returns how many."""
        self.is_draining = True
        self.reconnect_after_ms = reconnect_after_ms
        count = 0
        for room in self.rooms.values():
            for waiter in list(room.waiters):
                self.leave(waiter)
                waiter.answer(room.writer.drain(waiter.after, room.head, reconnect_after_ms))
                count += 1
        return count

    @property
    def parked(self) -> int:
        """How many waiters there are."""
        return sum(len(room.waiters) for room in self.rooms.values())
