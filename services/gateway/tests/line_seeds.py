"""What a fuzzer of HTTP connections begins with, and the parts that it puts together."""

from services.gateway.tests.scripts import ANSWER, CUT, FLOOD, LATE, SHUT, STOP, TAKE

POLL = b"GET /v1/channels/c/poll HTTP/1.1\r\n\r\n"
PARKED = b"GET /v1/channels/c/poll?after=1-1 HTTP/1.1\r\nauthorization: Bearer a\r\n\r\n"
EVENTS = b"GET /v1/stream?channels=c HTTP/1.1\r\n\r\n"
SOCKET = (
    b"GET /v1/ws HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-protocol: rostrum.v1.json\r\n\r\n"
)
POST = b"POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc"
CHUNKS = b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK, LAST = b"1;x=y\r\na\r\n", b"0\r\n\r\n"
EARLY = b"POST /early HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc"
EXPECTS = b"POST /a HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
OFFER = b"connection: upgrade\r\nupgrade: h2c\r\n"

PARTS = (
    *(POLL, PARKED, EVENTS, SOCKET, POST, CHUNKS, CHUNK, LAST, EARLY, EXPECTS, OFFER),
    b"GET /v1/channels/c/poll?after=1-1 HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\n",
    b"GET / HTTP/1.0\r\n",
    b"HEAD / HTTP/1.1\r\n\r\n",
    b"content-length: 3\r\n",
    b"content-length: 0\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"connection: close\r\n",
    b"x: a\r\n",
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b"0", b"abc", b"\x00", b"\x0b"),
)

SEEDS = {
    "polls": POLL + PARKED + CUT + POLL + ANSWER + POLL,
    "a poll in pieces": POLL[:5] + CUT + POLL[5:30] + CUT + POLL[30:],
    "a poll that cannot be written": STOP + POLL + POLL + TAKE + PARKED + SHUT,
    "who goes while parked": POLL + PARKED + POLL + SHUT,
    "events": EVENTS + POLL,
    "a socket": SOCKET + b"\x81\x80abcd" + CUT + b"\x89\x80abcd",
    "a socket behind a poll": PARKED + SOCKET + ANSWER,
    "a body": POST + POLL,
    "a body in pieces": POST[:-2] + CUT + POST[-2:] + POLL,
    "a body that never ends": POST[:-1] + LATE,
    "a body behind a poll": PARKED + POST[:-1] + LATE + ANSWER + b"c" + POLL,
    "chunks": CHUNKS + CHUNK + CUT + CHUNK + LAST + POLL,
    "chunks with trailers": CHUNKS + CHUNK + b"0\r\nx: a\r\n\r\n" + POLL,
    "trailers without end": CHUNKS + CHUNK + b"0\r\n" + CUT + b"x: a\r\n" * 40 + FLOOD,
    "a trailer without end": CHUNKS + CHUNK + b"0\r\nx: " + CUT + b"a" * 400 + FLOOD,
    "an extension without end": CHUNKS + b"1;" + CUT + b"a" * 400 + FLOOD,
    "a body without end": CHUNKS + CUT + CHUNK * 40 + FLOOD,
    "an answer before the body": EARLY + CUT + b"defghi" + POLL,
    "an answer, and no body": EARLY + LATE,
    "expect": EXPECTS + CUT + b"abc" + POLL,
    "HEAD": b"HEAD / HTTP/1.1\r\n\r\n" + POLL,
    "an offer": b"GET / HTTP/1.1\r\n" + OFFER + b"\r\n" + POLL + POLL,
    "an offer with a body": POST[:19] + OFFER + POST[19:] + POLL,
    "an offer with a poll as its body": (
        b"POST /a HTTP/1.1\r\ncontent-length: %d\r\n" % len(POLL) + OFFER + b"\r\n" + CUT + POLL
    ),
    "length and chunks": CHUNKS[:-2] + b"content-length: 3\r\n\r\n" + LAST + POLL,
    "chunks and length": POST[:-5] + b"transfer-encoding: chunked\r\n\r\n" + LAST + POLL,
    "two lengths": POST[:-5] + b"content-length: 4\r\n\r\nabc" + POLL,
    "a fold": b"GET / HTTP/1.1\r\nx: a\r\n b\r\n\r\n" + POLL,
    "a bare CR": b"GET / HTTP/1.1\r\nx: a\rcontent-length: 3\r\n\r\n" + POLL,
    "a head without end": b"GET / HTTP/1.1\r\n" + CUT + b"x: a\r\n" * 40 + FLOOD,
    "a head that stops": b"GET / HTTP/1.1\r\nx: a" + LATE,
    "many polls": POLL * 40 + FLOOD,
    "many behind a parked one": PARKED + CUT + POLL * 40 + FLOOD,
    "an old client": b"GET / HTTP/1.0\r\n\r\n" + POLL,
    "close": b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n" + POLL,
}
