"""What a fuzzer of WebSockets begins with, and the parts that it puts together. Frames are masked
with zeros, so that it sees and changes what they say."""

import json
from typing import Any

from services.gateway.tests.listeners import CHANNEL
from services.gateway.tests.rawsocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from services.gateway.tests.scripts import ANSWER, CUT, FLOOD, LATE, SHUT, STOP, TAKE

# A script that begins so is of a client that does not greet.
SILENT = b"\xfe"
MASK = bytes(4)


def framed(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A client's frame."""
    size = len(payload)
    first = bytes((fin << 7 | opcode,))
    if size < 126:
        return first + bytes((0x80 | size,)) + MASK + payload
    return first + b"\xfe" + size.to_bytes(2, "big") + MASK + payload


def said(message: dict[str, Any]) -> bytes:
    """A message in JSON."""
    return framed(TEXT, json.dumps(message, separators=(",", ":")).encode())


def watching(cursor: str | None) -> bytes:
    """A wish to follow the one channel that there is."""
    return said({"type": "watch", "cursors": {CHANNEL: cursor}})


PINGED = said({"type": "ping", "ref": 7})
POSTED = said({"type": "post", "ref": 1, "channel": CHANNEL, "message": {"client_id": "a"}})
UNWATCHED = said({"type": "unwatch", "channels": [CHANNEL]})
BEGUN, GOES_ON = framed(TEXT, b'{"type":"ping",', fin=False), framed(CONTINUATION, b" ", fin=False)
LAST = framed(CONTINUATION, b'"ref":7}')
CLOSED = framed(CLOSE, b"\x03\xe8bye")

PARTS = (
    *(PINGED, POSTED, UNWATCHED, BEGUN, GOES_ON, LAST, CLOSED, watching("1-8"), watching(None)),
    *(framed(PING), framed(PONG, b"abc"), framed(BINARY, b"\x81\xa4type\xa4ping")),
    said({"type": "hello"}),
    said({"type": "auth", "token": "a.b.c"}),
    *(CHANNEL.encode(), b'"type"', b'"cursors"', b"1-8", b"null", b"1-999", b"2-1"),
    *(b"\x81\xfe\x00\x80\0\0\0\0", b"\x81\xff\0\0\0\0\0\x04\0\0\0\0\0\0", b"\x01\x80\0\0\0\0"),
)

SEEDS = {
    "pings": PINGED + CUT + framed(PING, b"abc") + framed(PONG),
    "a frame in pieces": PINGED[:1] + CUT + PINGED[1:4] + CUT + PINGED[4:],
    "fragments": BEGUN + CUT + framed(PING) + GOES_ON + LAST + PINGED,
    "fragments without end": BEGUN + CUT + GOES_ON * 10 + FLOOD,
    "who follows": watching("1-8") + CUT + ANSWER + ANSWER + UNWATCHED,
    "who follows twice": watching("1-8") + watching("1-9") + CUT + ANSWER,
    "who is far behind": watching("1-1") + CUT + ANSWER,
    "who is ahead": watching("1-999") + watching("2-1") + CUT + LATE,
    "who reads nothing": watching(None) + CUT + STOP + ANSWER + PINGED * 20 + FLOOD + TAKE,
    "who posts": POSTED + CUT + POSTED,
    "who posts too much": POSTED * 10 + FLOOD,
    "who closes": watching("1-8") + CLOSED + PINGED,
    "who closes twice": CLOSED + CLOSED + CUT + CLOSED,
    "who goes": watching("1-8") + CUT + SHUT,
    "who says nothing": SILENT + LATE + CLOSED,
    "who never answers a close": SILENT + PINGED + CUT + LATE + LATE,
    "who pings before hello": SILENT + framed(PING, bytes(125)) * 20 + FLOOD,
    "two hellos": said({"type": "hello"}),
    "a renewal": said({"type": "auth", "token": "a.b.c"}) + PINGED,
    "control frames without end": framed(PONG) * 20 + FLOOD,
    "a frame that is too large": b"\x81\xff\0\0\0\0\0\x04\0\x01\0\0\0\0" + CUT + PINGED,
    "large messages": b"\x81\xfe\x08\x00\0\0\0\0" + b" " * 2_048 + CUT + b" " * 2_048 + FLOOD,
    "reserved bits": b"\xf1\x80\0\0\0\0" + PINGED,
    "unmasked": b"\x81\x03abc" + PINGED,
    "no text": framed(TEXT, b"\xff\xfe"),
    "no JSON": framed(TEXT, b"{") + PINGED,
    "packed": framed(BINARY, b"\x82\xa4type\xa4ping\xa3ref\x07"),
}
