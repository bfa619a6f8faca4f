"""What may begin a WebSocket, and what is said to what may not."""

import pytest

from services.gateway.answers import Form
from services.gateway.tests.rawsocket import KEY
from services.gateway.ws_handshake import FORMS, Unfit, handshake_of

HEADERS = [
    (b"sec-websocket-key", KEY.encode()),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-protocol", b"chat, rostrum.v1.msgpack"),
    (b"sec-websocket-protocol", b"rostrum.v1.json"),
    (b"authorization", b"Bearer a.b.c"),
]


def test_of_the_protocols_that_are_offered_the_first_of_ours_is_spoken() -> None:
    handshake = handshake_of(b"GET", HEADERS)
    assert FORMS[handshake.protocol()] is Form.PACKED
    assert handshake.authorization == "Bearer a.b.c"


def test_the_answer_proves_that_the_key_was_read() -> None:
    """The key and its answer are those of RFC 6455, section 1.3."""
    headers = [(b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), *HEADERS[1:]]
    head = handshake_of(b"GET", headers).accepted("rostrum.v1.json", [(b"date", b"now")])
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
    assert b"sec-websocket-protocol: rostrum.v1.json\r\ndate: now\r\n" in head
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("method", "name", "value", "status"),
    [
        (b"POST", b"", b"", 405),
        (b"GET", b"sec-websocket-version", b"8", 426),
        (b"GET", b"sec-websocket-version", b"", 426),
        (b"GET", b"sec-websocket-key", b"", 400),
        (b"GET", b"sec-websocket-key", b"c2hvcnQ=", 400),
        (b"GET", b"sec-websocket-key", b"no base64 at all", 400),
        (b"GET", b"sec-websocket-key", b"\xff" * 24, 400),
    ],
)
def test_what_is_no_handshake_is_told_why(
    method: bytes, name: bytes, value: bytes, status: int
) -> None:
    headers = [(each, value if each == name else said) for each, said in HEADERS]
    with pytest.raises(Unfit) as unfit:
        handshake_of(method, headers)
    answer = unfit.value.answer(())
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert (b"sec-websocket-version: 13" in answer) == (status == 426)
    assert b"connection: close\r\n" in answer
