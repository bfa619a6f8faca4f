"""Frames of a stream, as `docs/protocol.md` has them: text is JSON, bytes are msgpack.

What comes is checked and has a type; frames and fields that are not known are skipped.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, get_args

import msgspec

from rostrum.cursor import Cursor
from rostrum.model import Entry, entry_of

JSON_PROTOCOL = "rostrum.v1.json"
PACKED_PROTOCOL = "rostrum.v1.msgpack"


class Malformed(ValueError):
    """What came is not of the protocol: whoever sent it, or changed it on the way, is faulty."""


class _ToGateway(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag=str.lower):
    """A frame of ours. The gateway refuses fields that it does not know."""


class Hello(_ToGateway, frozen=True):
    """The first frame: who listens."""

    token: str | None = None
    ticket: str | None = None


class Watch(_ToGateway, frozen=True):
    """Follow these channels from these cursors; None: from now on."""

    cursors: Mapping[str, str | None]


class Unwatch(_ToGateway, frozen=True):
    """Follow them no more."""

    channels: tuple[str, ...]


class Auth(_ToGateway, frozen=True):
    """A new access token of the same session."""

    token: str


ToGateway = Hello | Watch | Unwatch | Auth


class _FromGateway(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """A frame of the gateway."""


class Welcome(_FromGateway, frozen=True):
    """You are in, for `expires_in` seconds; `ticket` brings you in again, and one stream follows
    at most `watches_max` channels."""

    expires_in: float
    ticket: str
    watches_max: int


class Renewed(_FromGateway, frozen=True):
    """The token of `auth` holds; use this ticket from now on."""

    expires_in: float
    ticket: str


class _Placed(_FromGateway, frozen=True):
    channel: str
    cursor: str

    @property
    def place(self) -> Cursor:
        """The cursor. Raises `Malformed`."""
        return cursor_of(self.cursor)


class Watched(_Placed, frozen=True):
    """Entries after `cursor` come next; the rest is for `rostrum.packed`."""

    head: int
    first: int
    alias: int | None = None
    base_id: int = 0
    base_ms: int = 0


class _Listed(_Placed, frozen=True, tag="entries"):
    """`Entries`, in JSON."""

    head: int
    entries: tuple[dict[str, Any], ...]


class Entries(NamedTuple):
    """Entries that lead up to the cursor `place`, in whatever form they came."""

    channel: str
    entries: tuple[Entry, ...]
    place: Cursor
    head: int


class Jump(_Placed, frozen=True):
    """What is up to `cursor` is left out."""

    unread: int
    head: int
    first: int


class Reset(_Placed, frozen=True):
    """The epoch changed; it goes on from `cursor`."""

    head: int
    first: int


class Behind(_Placed, frozen=True):
    """You read too slowly: the channel is followed no more, all up to `cursor` was sent."""

    head: int


class Unwatched(_FromGateway, frozen=True):
    """The channel is followed no more. With `retry` "yes" watch it again."""

    channel: str
    code: str
    detail: str = ""
    retry: str = "no"
    retry_after_s: float | None = None


class Beat(_FromGateway, frozen=True):
    """The gateway lives."""


class Drain(_FromGateway, frozen=True):
    """This gateway goes away: come again, elsewhere, after so long."""

    reconnect_after_ms: float


class Fault(_FromGateway, frozen=True, tag="error"):
    """The stream is closed right after this, unless it is about a post (`ref`)."""

    code: str
    detail: str = ""
    retry: str = "no"
    ref: int | None = None
    retry_after_s: float | None = None


class Skipped(msgspec.Struct, frozen=True):
    """A frame that is not known, or not for us."""

    type: str


OfChannel = Watched | Entries | Jump | Reset | Behind | Unwatched
OfStream = Welcome | Renewed | Beat | Drain | Fault
FromGateway = OfChannel | OfStream | Skipped

_Known = Watched | _Listed | Jump | Reset | Behind | Unwatched | OfStream
_json: msgspec.json.Decoder[_Known] = msgspec.json.Decoder(_Known)
_packed: msgspec.msgpack.Decoder[_Known] = msgspec.msgpack.Decoder(_Known)
_json_head = msgspec.json.Decoder(Skipped)
_packed_head = msgspec.msgpack.Decoder(Skipped)
_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in get_args(_Known))
_FAULTS = (msgspec.MsgspecError, UnicodeError, RecursionError)


def text_of(frame: ToGateway) -> str:
    """A frame of ours in JSON."""
    return msgspec.json.encode(frame).decode()


def packed_of(frame: ToGateway) -> bytes:
    """A frame of ours in msgpack."""
    return msgspec.msgpack.encode(frame)


def frame_of(raw: str | bytes) -> FromGateway:
    """A frame that came, entries in msgpack's own form aside. Raises `Malformed`."""
    try:
        frame: _Known = _json.decode(raw) if isinstance(raw, str) else _packed.decode(raw)
    except _FAULTS as fault:
        return _skipped(raw, fault)
    if isinstance(frame, _Listed):
        return Entries(frame.channel, entries_of(frame.entries), frame.place, frame.head)
    return frame


def cursor_of(text: str) -> Cursor:
    """A cursor that came. Raises `Malformed`."""
    try:
        return Cursor.of(text)
    except ValueError as fault:
        raise Malformed(str(fault)) from fault


def entries_of(raw: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Entries as JSON has them. Raises `Malformed`."""
    try:
        return tuple(map(entry_of, raw))
    except (ValueError, TypeError) as fault:
        raise Malformed(str(fault)) from fault


def _skipped(raw: str | bytes, fault: Exception) -> Skipped:
    try:
        frame = _json_head.decode(raw) if isinstance(raw, str) else _packed_head.decode(raw)
    except _FAULTS:
        raise Malformed(f"no frame: {fault}") from fault
    if frame.type in _TYPES:
        raise Malformed(f"a frame of type {frame.type}: {fault}") from fault
    return frame
