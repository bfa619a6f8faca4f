"""Rooms and waiters: who is parked on which channel, and what they are told. No I/O, no tasks.

A waiter is one slotted object in its room's list. A poller leaves when it is answered; a follower
stays and is told again. Both leave when they are refused or gone, pollers when they expire too.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import ClassVar, NamedTuple, Protocol

from libs.wire.codes import Problem
from libs.wire.entries import Entry

from .aliases import Aliases
from .answers import ENTRIES_MAX, Answer, Drain, Entries, Form, Jump, Reset, Writer
from .deadlines import Wheel
from .decisions import Here
from .ring import ENTRIES_KEPT, Ring

NOWHERE = -1
# Answers that a room remembers: those who wait share one cursor, a few more lag a little behind.
# Each holds up to `ENTRIES_MAX` entries and is not in the budget of the rings.
SAID_MAX = 16
# On the wire an id is how far it is from where the alias begins. Beyond 65,535 that takes two bytes
# more in each message, so an alias begins anew before.
ALIAS_ENTRIES_MAX = 60_000


class Peers(Protocol):
    """Those who wait by the same right. A list is one."""

    def append(self, waiter: "Waiter", /) -> None:
        """It waits from now on."""

    def remove(self, waiter: "Waiter", /) -> None:
        """It waits no more."""


class Waiter(ABC):
    """Somebody, `user`, who has read up to `after` of `epoch` and waits for more. `stays` tells
    followers, who are told again and again, from pollers."""

    __slots__ = ("after", "bucket", "epoch", "is_gone", "peers", "place", "room", "user")

    stays: ClassVar[bool]

    def __init__(self, user: str, after: int) -> None:
        self.user = user
        self.after = after
        self.epoch = 0
        self.place = NOWHERE
        self.bucket = 0
        self.is_gone = False
        self.room: Room | None = None
        # Of who is in a room.
        self.peers: Peers | None = None

    @abstractmethod
    def tell(self, body: bytes) -> None:
        """Send bytes of the waiter's form."""

    def wake(self, body: bytes) -> None:
        """The same as one of very many: what can wait until all are told is left to `left`."""
        self.tell(body)

    @abstractmethod
    def left(self) -> None:
        """It was woken and has left its room."""

    @abstractmethod
    def refuse(self, problem: Problem) -> None:
        """Send a problem: nothing more is told."""

    @property
    @abstractmethod
    def form(self) -> Form:
        """How it is written to."""

    @abstractmethod
    def seated(self, room: "Room") -> None:
        """Its cursor, `after`, is one of `room` now, where entries come from next."""

    @property
    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it can take more now."""

    @abstractmethod
    async def ready(self) -> bool:
        """Return when it can take more: True at once, False when it had to wait for that."""


class Poller(Waiter):
    """Waits for one answer. Parsers subclass it."""

    __slots__ = ()

    stays = False

    @property
    def form(self) -> Form:
        """The answer to a poll."""
        return Form.POLL

    def left(self) -> None:
        """It is held by nobody else."""

    def seated(self, room: "Room") -> None:
        """A poll answer names its channel."""

    @property
    def is_ready(self) -> bool:
        """It takes one answer, at any time."""
        return True

    async def ready(self) -> bool:
        """See `is_ready`."""
        return True


class Said(NamedTuple):
    """Bytes, and the cursor of who got them."""

    body: bytes
    last: int


class Room:
    """A channel that somebody here listens to, or did a moment ago."""

    __slots__ = (
        "_said",
        "channel",
        "claim_offset",
        "first",
        "idle_since",
        "leaving",
        "ring",
        "waiters",
        "waking",
        "writer",
    )

    def __init__(self, channel: str, *, first: int, claim_offset: int, writer: Writer) -> None:
        self.channel = channel
        self.first = first
        self.claim_offset = claim_offset
        self.ring = Ring(0)
        self.writer = writer
        self.waiters: list[Waiter] = []
        # Of those who were told and wait no more, but still have their places: see `Hub.clear`.
        self.leaving: deque[Waiter] = deque()
        self.waking = False
        self.idle_since: float | None = None
        self._said: dict[tuple[Form, int], Said] = {}

    @property
    def head(self) -> int:
        """The last id that this gateway knows."""
        return self.ring.head

    @property
    def epoch(self) -> int:
        """The channel's epoch; another one is another room."""
        return self.writer.epoch

    def take(self, entries: Iterable[Entry]) -> bool:
        """Append what comes next. False when an entry is missing in between: fetch it."""
        for entry in entries:
            if entry.id > self.ring.head + 1:
                return False
            if entry.id == self.ring.head + 1:
                self.ring.append(self.writer.kept(entry))
                self._said.clear()
        if self.head - self.writer.base.ident > ALIAS_ENTRIES_MAX:
            self.writer.count_from(self.head)
        return True

    def restart(self, entries: Iterable[Entry], head: int) -> None:
        """Begin the ring anew with the newest entries, up to `head`."""
        newest = list(entries)
        self.ring = Ring(newest[0].id - 1 if newest else head)
        self._said.clear()
        self.take(newest)

    def said(self, form: Form, after: int) -> Said | None:
        """The entries for a cursor at `after`; None when it is behind the ring. The same bytes for
        everybody with that cursor and form, until the next entry."""
        known = self._said.get((form, after))
        if known is not None:
            return known
        if after < self.ring.first - 1:
            return None
        answer = Entries(after, self.ring.after(after, ENTRIES_MAX), self.head)
        said = Said(self.writer.write(form, answer), answer.last)
        if len(self._said) >= SAID_MAX:
            self._said.clear()
        self._said[form, after] = said
        return said

    def say(self, waiter: Waiter, answer: Answer | Here) -> None:
        """Tell a waiter, wherever it is, and move its cursor."""
        waiter.epoch = self.epoch
        if isinstance(answer, Jump | Reset | Drain):
            self.pass_on(waiter, self._written(waiter.form, answer))
            waiter.seated(self)
            return
        waiter.after = answer.after
        waiter.seated(self)
        said = (
            self.said(waiter.form, answer.after)
            if isinstance(answer, Here)
            else self._written(waiter.form, answer)
        )
        if said is None:
            raise ValueError(f"{answer.after} is behind what {self.channel} has in memory")
        self.pass_on(waiter, said)

    def _written(self, form: Form, answer: Answer) -> Said:
        return Said(self.writer.write(form, answer), answer.last)

    @staticmethod
    def pass_on(waiter: Waiter, said: Said) -> None:
        """Tell a waiter what was said."""
        waiter.after = said.last
        waiter.tell(said.body)

    def waiting(self) -> list[Waiter]:
        """Those who are here at this moment."""
        return [waiter for waiter in self.waiters if waiter.room is self]

    def seat(self, waiter: Waiter) -> None:
        """Put a waiter into the room."""
        waiter.room = self
        waiter.epoch = self.epoch
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

    def wake(self, waiter: Waiter, said: Said) -> None:
        """Tell a poller, who leaves; of its place it is taken when there is time for that."""
        waiter.room = None
        self.leaving.append(waiter)
        waiter.after = said.last
        waiter.wake(said.body)


class Hub:
    """All rooms of this gateway, their deadlines, and one budget of bytes for their rings."""

    def __init__(self, *, now_s: float, ring_bytes: int) -> None:
        self.rooms: OrderedDict[str, Room] = OrderedDict()
        self.aliases = Aliases()
        self._wheel: Wheel[Waiter] = Wheel(now_s)
        self._bytes_max = ring_bytes
        self.is_draining = False

    def add(self, room: Room) -> None:
        """A room that has its snapshot, instead of the one before."""
        self.remove(room.channel)
        self.rooms[room.channel] = room

    def remove(self, channel: str) -> Room | None:
        """Forget a channel's room, if there is one, and return it."""
        room = self.rooms.pop(channel, None)
        if room is not None:
            self.aliases.give_back(room.writer.base.alias)
        return room

    def room(self, channel: str) -> Room | None:
        """The channel's room, which counts as used now."""
        room = self.rooms.get(channel)
        if room is not None:
            self.rooms.move_to_end(channel)
        return room

    def park(self, waiter: Waiter, room: Room, until_s: float | None, *, peers: Peers) -> None:
        """Park a waiter until something comes, or until `until_s` (None: without end). It is also
        kept in `peers`, the waiters that rely on the same grant."""
        room.idle_since = None
        room.seat(waiter)
        waiter.peers = peers
        peers.append(waiter)
        waiter.bucket = 0 if until_s is None else self._wheel.add(waiter, until_s)
        waiter.seated(room)

    def leave(self, waiter: Waiter) -> None:
        """The waiter is answered or gone. Harmless for one that is not parked."""
        if waiter.room is None:
            return
        waiter.room.unseat(waiter)
        self._forget(waiter)

    def clear(self, room: Room, most: int) -> None:
        """Give away the places of those who were woken and left, of so many at most."""
        for _ in range(min(len(room.leaving), most)):
            waiter = room.leaving.popleft()
            room.unseat(waiter)
            self._forget(waiter)
            waiter.left()

    def _forget(self, waiter: Waiter) -> None:
        if waiter.peers is not None:
            waiter.peers.remove(waiter)
            waiter.peers = None
        if waiter.bucket:
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
            said = room.said(waiter.form, waiter.after)
            here = Entries(waiter.after, (), room.head)
            room.say(waiter, here if said is None else Here(waiter.after))
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
                self.remove(room.channel)
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

    def pollers(self) -> Iterator[Waiter]:
        """Those who wait for one answer."""
        for room in self.rooms.values():
            yield from (waiter for waiter in room.waiting() if not waiter.stays)

    def send_away(self, waiter: Waiter, reconnect_after_ms: int) -> None:
        """Answer a poller: poll elsewhere, with the same cursor. Harmless when it is not parked."""
        room = waiter.room
        if room is not None:
            self.leave(waiter)
            room.say(waiter, Drain(waiter.after, room.head, reconnect_after_ms))

    @property
    def parked(self) -> int:
        """How many waiters there are."""
        return sum(len(room.waiters) - len(room.leaving) for room in self.rooms.values())
