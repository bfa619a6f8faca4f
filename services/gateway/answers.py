"""What listeners are told, and its bytes: spliced from entries that are encoded already.

An answer is written in the form of who gets it; all who share cursor and form share the bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from libs.wire import streams
from libs.wire.codec import pack, to_json
from libs.wire.entries import Entry
from libs.wire.streams import Origin, packed_entries, packed_entry

ENTRIES_MAX = 100
JUMP_BEHIND = 1_000


class Form(Enum):
    """POLL: the answer to a poll; JSON and PACKED: a frame of a stream."""

    POLL = "poll"
    JSON = "json"
    PACKED = "packed"

    # A member is one object, and is looked up for everybody who is written to: Enum's own hash is
    # that of its name, which is found out by a call each time.
    __hash__ = object.__hash__


class Kept(NamedTuple):
    """An entry, encoded both ways, its id aside in `packed`."""

    json: bytes
    packed: bytes

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.json) + len(self.packed)


@dataclass(frozen=True, slots=True)
class Entries:
    """What comes after `after`, none is an answer as well, of a channel that ends at `head`."""

    after: int
    kept: Sequence[Kept]
    head: int

    @property
    def last(self) -> int:
        """Where the cursor goes."""
        return self.after + len(self.kept)


@dataclass(frozen=True, slots=True)
class Jump:
    """Too far behind: show the latest, fetch history by pages. The cursor goes to the head."""

    unread: int
    head: int
    first: int

    @property
    def last(self) -> int:
        """Where the cursor goes."""
        return self.head


@dataclass(frozen=True, slots=True)
class Reset:
    """The epoch changed: what the client's cursor meant is gone. The cursor goes to the head."""

    head: int
    first: int

    @property
    def last(self) -> int:
        """Where the cursor goes."""
        return self.head


@dataclass(frozen=True, slots=True)
class Drain:
    """This gateway goes away: nothing came; poll again elsewhere with the same cursor."""

    last: int
    head: int
    reconnect_after_ms: int


Answer = Entries | Jump | Reset | Drain


def entry(value: Entry) -> bytes:
    """An entry as clients see it."""
    return to_json(value)


def framed(form: Form, frame: streams.FromGateway) -> bytes:
    """A frame of a stream."""
    return pack(frame) if form is Form.PACKED else to_json(frame)


class Writer:
    """Writes the answers of one channel and epoch."""

    __slots__ = ("_after_ms", "_channel", "_opening", "_stream_opening", "base", "epoch")

    def __init__(self, channel: str, base: Origin, *, epoch: int, poll_after_ms: int) -> None:
        self.epoch = epoch
        self.base = base
        self._channel = channel
        name = to_json(channel)
        self._opening = b'{"channel":' + name + b',"entries":['
        self._stream_opening = b'{"type":"entries","channel":' + name + b',"entries":['
        self._after_ms = b',"poll_after_ms":%d}' % poll_after_ms

    def count_from(self, ident: int) -> None:
        """Ids of the alias count from here: to be told before the next entries."""
        self.base = self.base._replace(ident=ident)

    def kept(self, value: Entry) -> Kept:
        """An entry of this channel in both encodings."""
        return Kept(entry(value), packed_entry(value, self.base))

    def write(self, form: Form, answer: Answer) -> bytes:
        """The bytes of an answer. Streams are drained as a whole, not channel by channel."""
        if form is Form.POLL:
            return self._poll(answer)
        if isinstance(answer, Entries):
            return self._frame(form, answer)
        return framed(form, self._special(answer))

    def _frame(self, form: Form, answer: Entries) -> bytes:
        if form is Form.PACKED:
            packed = [each.packed for each in answer.kept]
            return packed_entries(self.base, answer.after + 1, packed)
        return b"".join((self._stream_opening, *self._entries(answer), b"}"))

    def _poll(self, answer: Answer) -> bytes:
        if isinstance(answer, Entries):
            more = b"true" if answer.head > answer.last else b"false"
            return b"".join(
                (self._opening, *self._entries(answer), b',"more":', more, self._after_ms)
            )
        return b"".join(
            (
                self._opening,
                b'],"cursor":"%d-%d","head":%d' % (self.epoch, answer.last, answer.head),
                b',"more":false,',
                self._field(answer),
                self._after_ms,
            )
        )

    def _entries(self, answer: Entries) -> tuple[bytes, bytes]:
        place = (self.epoch, answer.last, answer.head)
        encoded = b",".join([each.json for each in answer.kept])
        return encoded, b'],"cursor":"%d-%d","head":%d' % place

    def _field(self, answer: Jump | Reset | Drain) -> bytes:
        match answer:
            case Jump():
                place = (answer.unread, answer.head, answer.first)
                return b'"jump":{"unread":%d,"head":%d,"first":%d}' % place
            case Reset():
                place = (self.epoch, answer.head, answer.first)
                return b'"reset":{"epoch":%d,"head":%d,"first":%d}' % place
            case Drain():
                return b'"drain":{"reconnect_after_ms":%d}' % answer.reconnect_after_ms

    def _special(self, answer: Jump | Reset | Drain) -> streams.FromGateway:
        cursor = f"{self.epoch}-{answer.last}"
        match answer:
            case Jump():
                return streams.Jump(
                    channel=self._channel,
                    cursor=cursor,
                    unread=answer.unread,
                    head=answer.head,
                    first=answer.first,
                )
            case Reset():
                return streams.Reset(
                    channel=self._channel,
                    cursor=cursor,
                    epoch=self.epoch,
                    head=answer.head,
                    first=answer.first,
                )
            case Drain():
                return streams.Drain(reconnect_after_ms=answer.reconnect_after_ms)
