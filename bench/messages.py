"""The message that all are sent: the bytes in which a gateway of ours would write it.

Floors write these bytes, so that what is compared differs in logic alone; peers carry the JSON.
"""

from bench.ways import Way
from libs.wire.codec import to_json
from libs.wire.entries import MESSAGE, Entry
from libs.wire.streams import Origin, packed_entries, packed_entry

CHANNEL = "2JQW844FJRZGY1CR7JHEZG6RDP"
SENDER = "01M8EYVA399NFHBD6DX04KBW4F"
AT = "2026-11-27T16:54:04.683Z"
# With it an answer has some 300 bytes, as a short message of a person has.
TEXT = "the harbour is open again, ferries leave every hour"
ORIGIN = Origin(alias=1, ident=0, at_ms=1_795_798_444_000)
EPOCH = 1
HEAD = (
    b"HTTP/1.1 200 OK\r\ndate: Fri, 27 Nov 2026 16:54:04 GMT\r\ncontent-length: %d\r\n"
    b"content-type: application/json\r\n\r\n"
)
_TEXT, _BINARY = 0x81, 0x82
_SIZE_IN_ONE_BYTE = 126


def client_id(ident: int) -> str:
    """Names the post of an entry."""
    return f"bench-{ident:08d}"


def entry(ident: int) -> Entry:
    """The message with this id."""
    return Entry(
        id=ident, type=MESSAGE, sender=SENDER, client_id=client_id(ident), at=AT, text=TEXT
    )


def written(way: Way, ident: int) -> bytes:
    """All that a gateway writes to one connection for this message alone."""
    if way is Way.POLL:
        body = answer(ident)
        return HEAD % len(body) + body
    if way is Way.PACKED:
        return _framed(_BINARY, packed_entries(ORIGIN, ident, [packed_entry(entry(ident), ORIGIN)]))
    if way is Way.JSON:
        return _framed(_TEXT, frame(ident))
    event = b"id: %s=%d-%d\ndata: %s\n\n" % (CHANNEL.encode(), EPOCH, ident, frame(ident))
    return b"%x\r\n%s\r\n" % (len(event), event)


def frame(ident: int) -> bytes:
    """The frame of a stream, in JSON."""
    return b'{"type":"entries","channel":"%s",%s}' % (CHANNEL.encode(), _entries(ident))


def answer(ident: int) -> bytes:
    """The body of the answer to a poll."""
    rest = b'"more":false,"poll_after_ms":0'
    return b'{"channel":"%s",%s,%s}' % (CHANNEL.encode(), _entries(ident), rest)


def _entries(ident: int) -> bytes:
    place = (to_json(entry(ident)), EPOCH, ident, ident)
    return b'"entries":[%s],"cursor":"%d-%d","head":%d' % place


def _framed(head: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < _SIZE_IN_ONE_BYTE:
        return bytes((head, size)) + payload
    return bytes((head, _SIZE_IN_ONE_BYTE)) + size.to_bytes(2, "big") + payload
