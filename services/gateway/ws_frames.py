"""What a WebSocket client sends, from bytes to messages, and the frames that it is sent (RFC 6455,
sections 5 and 8). No I/O; whatever the bytes are, what is kept of them is bounded."""

from enum import IntEnum
from typing import NamedTuple

from websockets.speedups import apply_mask

from libs.runtime.listener import FRAGMENTS_MAX, MESSAGE_BYTES_MAX

LAST = 0x80
RESERVED = 0x70
OPCODE = 0x0F
CONTROL = 0x08
MASKED = 0x80
SIZE = 0x7F
SIZE_16, SIZE_64 = 126, 127
CONTROL_BYTES_MAX = 125
MASK_BYTES = 4

NORMAL = 1000
GOES_AWAY = 1001
PROTOCOL_ERROR = 1002
NOT_UTF8 = 1007
POLICY = 1008
TOO_BIG = 1009
# Of the protocol's own; 3000 to 4999 are for those who speak over it.
CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
OTHERS_CODES = range(3000, 5000)


class Kind(IntEnum):
    """Opcodes."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


KINDS = {kind.value: kind for kind in Kind}


class Broken(Exception):
    """What came is not the protocol: the connection ends with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Message(NamedTuple):
    """A whole message, or a control frame."""

    kind: Kind
    payload: bytes


class _Head(NamedTuple):
    kind: int
    is_last: bool
    begin: int
    end: int


class Incoming:
    """Bytes of one client. `add` what came, then take messages by `next` until there is none."""

    __slots__ = ("_at", "_data", "_kind", "_parts", "_size")

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""
        self._at = 0
        # The message that came in part: its kind, and its fragments.
        self._kind = Kind.CONTINUATION
        self._parts: list[bytes] | None = None
        self._size = 0

    def add(self, data: bytes) -> None:
        """What came next."""
        if not self._data:
            self._data = data
        elif isinstance(self._data, bytearray):
            self._data += data
        else:
            self._data = bytearray(self._data[self._at :]) + data
            self._at = 0

    def next(self) -> Message | None:
        """The next message; None when the rest of it has not come. Raises `Broken`."""
        while (head := self._head()) is not None:
            kind, is_last, begin, end = head
            if len(self._data) < end:
                break
            data = self._data
            payload = apply_mask(data[begin:end], data[begin - MASK_BYTES : begin])
            self._at = end
            if is_last and (kind & CONTROL or self._parts is None):
                return Message(KINDS[kind], payload)
            message = self._joined(KINDS[kind], payload, is_last=is_last)
            if message is not None:
                return message
        self._drop_read()
        return None

    def _head(self) -> _Head | None:
        """The frame that begins here; None when its head has not come."""
        data, at = self._data, self._at
        came = len(data)
        if came < at + 2:
            return None
        first, second = data[at], data[at + 1]
        size, begin = second & SIZE, at + 2
        kind = first & OPCODE
        _judge(first, second)
        if size >= SIZE_16:
            begin += 2 if size == SIZE_16 else 8
            if came < begin:
                return None
            size = int.from_bytes(data[at + 2 : begin], "big")
        if not kind & CONTROL:
            self._allow(kind, size)
        begin += MASK_BYTES
        return _Head(kind, bool(first & LAST), begin, begin + size)

    def _allow(self, kind: int, size: int) -> None:
        """Before the payload came."""
        if (kind == Kind.CONTINUATION) != (self._parts is not None):
            raise Broken(PROTOCOL_ERROR, "a message begins amid another one, or goes on unbegun")
        if self._size + size > MESSAGE_BYTES_MAX:
            raise Broken(TOO_BIG, f"a message has at most {MESSAGE_BYTES_MAX} bytes")
        if self._parts is not None and len(self._parts) >= FRAGMENTS_MAX:
            raise Broken(TOO_BIG, f"a message has at most {FRAGMENTS_MAX} frames")

    def _joined(self, kind: Kind, payload: bytes, *, is_last: bool) -> Message | None:
        """The message that a fragment completes, if it does."""
        if self._parts is None:
            self._kind, self._parts = kind, []
        self._parts.append(payload)
        self._size += len(payload)
        if not is_last:
            return None
        whole, self._parts, self._size = b"".join(self._parts), None, 0
        return Message(self._kind, whole)

    def _drop_read(self) -> None:
        if self._at == len(self._data):
            self._data = b""
        elif isinstance(self._data, bytearray):
            del self._data[: self._at]
        else:
            self._data = self._data[self._at :]
        self._at = 0


def _judge(first: int, second: int) -> None:
    kind = first & OPCODE
    if first & RESERVED or kind not in KINDS:
        raise Broken(PROTOCOL_ERROR, "reserved bits or an opcode that nobody agreed on")
    if not second & MASKED:
        raise Broken(PROTOCOL_ERROR, "frames of clients are masked")
    if kind & CONTROL and (not first & LAST or second & SIZE > CONTROL_BYTES_MAX):
        raise Broken(PROTOCOL_ERROR, "a control frame is whole and has at most 125 bytes")


def text_of(payload: bytes) -> str:
    """The text of a message. Raises `Broken`."""
    try:
        return payload.decode()
    except UnicodeDecodeError as fault:
        raise Broken(NOT_UTF8, "text is UTF-8") from fault


def close_code(payload: bytes) -> int | None:
    """The code of a client's close frame; None when it gives none. Raises `Broken`."""
    if not payload:
        return None
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not (code in CLOSE_CODES or code in OTHERS_CODES):
        raise Broken(PROTOCOL_ERROR, "a close frame begins with a code that may be sent")
    text_of(payload[2:])
    return code


def frame(kind: Kind, payload: bytes) -> bytes:
    """A frame of the server's: whole, and not masked."""
    size = len(payload)
    if size < SIZE_16:
        return bytes((LAST | kind, size)) + payload
    if size < 1 << 16:
        return bytes((LAST | kind, SIZE_16)) + size.to_bytes(2, "big") + payload
    return bytes((LAST | kind, SIZE_64)) + size.to_bytes(8, "big") + payload


def closing(code: int | None, reason: str = "") -> bytes:
    """A close frame; a reason is cut where it would be too long."""
    if code is None:
        return frame(Kind.CLOSE, b"")
    said = reason.encode()[: CONTROL_BYTES_MAX - 2].decode(errors="ignore").encode()
    return frame(Kind.CLOSE, code.to_bytes(2, "big") + said)


class Framing:
    """Frames of one kind: all who get the same bytes get the same frame."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._body = b""
        self._frame = frame(kind, b"")

    def of(self, body: bytes) -> bytes:
        """The frame of a body."""
        if body is not self._body:
            self._body, self._frame = body, frame(self._kind, body)
        return self._frame
