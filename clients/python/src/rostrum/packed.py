"""What comes over one connection in msgpack: frames, and entries in their short form, an array
`[alias, first - base_id, entry, ...]`. See `docs/protocol.md`."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from rostrum import wire
from rostrum.cursor import ID_MAX, Cursor
from rostrum.model import MESSAGE, Entry, Message, Unknown, entry_of
from rostrum.wire import Behind, Entries, FromGateway, Jump, Malformed, Reset, Watched

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_array = msgspec.msgpack.Decoder(list[Any])
_PLAIN, _OTHER = 4, 3


class _Alias(NamedTuple):
    """What an alias stands for: ids count from `ident`, times from `at_ms`."""

    channel: str
    ident: int
    at_ms: int


class Unpacker:
    """Of one connection: what its aliases stand for, which ends with it."""

    def __init__(self) -> None:
        self._aliases: dict[int, _Alias] = {}
        # Of each channel: the epoch of its ids, and the last id that it was known to have.
        self._epochs: dict[str, int] = {}
        self._heads: dict[str, int] = {}

    def frame_of(self, raw: bytes) -> FromGateway:
        """A frame. Raises `Malformed`."""
        if _is_array(raw):
            return self._entries(raw)
        frame = wire.frame_of(raw)
        if isinstance(frame, Watched):
            self._learn(frame)
        if isinstance(frame, Watched | Jump | Reset | Behind):
            self._epochs[frame.channel] = frame.place.epoch
            self._heads[frame.channel] = frame.head
        return frame

    def _learn(self, frame: Watched) -> None:
        if frame.alias is not None:
            self._aliases[frame.alias] = _Alias(frame.channel, frame.base_id, frame.base_ms)

    def _entries(self, raw: bytes) -> Entries:
        try:
            number, offset, *rows = _array.decode(raw)
            alias = self._aliases[number]
            first = alias.ident + offset
            found = tuple(_entry(row, first + at, alias) for at, row in enumerate(rows))
        except (msgspec.MsgspecError, ArithmeticError, LookupError, ValueError, TypeError) as fault:
            raise Malformed(f"no entries: {fault!r}") from fault
        last = first + len(rows) - 1
        if not 0 <= last <= ID_MAX:
            raise Malformed(f"entries up to {last}, which is no id")
        channel = alias.channel
        head = self._heads[channel] = max(self._heads[channel], last)
        return Entries(channel, found, Cursor(self._epochs[channel], last), head)


def _is_array(raw: bytes) -> bool:
    """Whether it begins as an array, of up to 15, 65,535 or more elements."""
    return raw[:1] in (b"\xdc", b"\xdd") or 0x90 <= (raw or b"\0")[0] <= 0x9F


def _entry(row: Any, ident: int, alias: _Alias) -> Entry:
    if not isinstance(row, list) or len(row) not in (_PLAIN, _OTHER):
        return Unknown(id=ident, type="", fields={"id": ident})
    if len(row) == _OTHER:
        kind, at, said = row
        return entry_of({"id": ident, "type": kind, "at": _text(_time(alias, at)), **said})
    sender, client_id, at, text = row
    if not isinstance(sender, str) or not isinstance(client_id, str) or not isinstance(text, str):
        said = {"from": sender, "client_id": client_id, "text": text}
        return Unknown(id=ident, type=MESSAGE, fields={"id": ident, "type": MESSAGE, **said})
    return Message(id=ident, sender=sender, client_id=client_id, at=_time(alias, at), text=text)


def _time(alias: _Alias, at: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=alias.at_ms + at)


def _text(at: datetime) -> str:
    """As JSON has it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
