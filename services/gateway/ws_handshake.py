"""How an HTTP connection becomes a WebSocket (RFC 6455, section 4.2)."""

import binascii
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

from websockets.utils import accept_key

from libs.runtime import trace
from libs.wire.codes import Refused
from libs.wire.streams import JSON_PROTOCOL, PACKED_PROTOCOL

from .answers import Form
from .http_answers import Headers, plain

PATH = "/v1/ws"
FORMS = {JSON_PROTOCOL: Form.JSON, PACKED_PROTOCOL: Form.PACKED}
VERSION = b"13"
KEY_BYTES = 16
TRACE = trace.HEADER.encode()


class Unfit(Exception):
    """The request is none that a WebSocket begins with."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why

    def answer(self, begin: Headers) -> bytes:
        """What the client is told, last."""
        headers = [*begin]
        if self.status == HTTPStatus.UPGRADE_REQUIRED:
            headers.append((b"sec-websocket-version", VERSION))
        return plain(self.status, headers, self.why)


class Handshake(NamedTuple):
    """What a client asks for."""

    key: str
    protocols: tuple[str, ...]
    authorization: str | None
    trace_id: str | None

    def protocol(self) -> str:
        """The first of its subprotocols that is one of ours. Raises `Refused`."""
        found = next((name for name in self.protocols if name in FORMS), None)
        if found is None:
            fault = f"offer one of these in Sec-WebSocket-Protocol: {', '.join(FORMS)}"
            raise Refused("protocol_unknown", fault)
        return found

    def accepted(self, protocol: str, begin: Headers) -> bytes:
        """The answer that opens the socket."""
        lines = [b"%b: %b\r\n" % header for header in begin]
        return (
            b"HTTP/1.1 101 Switching Protocols\r\n"
            b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: %b\r\n"
            b"sec-websocket-protocol: %b\r\n%b\r\n"
        ) % (accept_key(self.key).encode(), protocol.encode(), b"".join(lines))


def handshake_of(method: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Handshake:
    """The handshake in a request that asks for an upgrade to WebSocket. Raises `Unfit`."""
    if method != b"GET":
        raise Unfit(405, "A WebSocket begins with GET.")
    said: dict[bytes, bytes] = {}
    protocols: list[str] = []
    for name, value in headers:
        if name == b"sec-websocket-protocol":
            protocols += (each.strip() for each in value.decode("latin-1").split(","))
        else:
            # Of what is said twice the first counts.
            said.setdefault(name, value)
    if said.get(b"sec-websocket-version") != VERSION:
        raise Unfit(426, "Only version 13 of the protocol is spoken here.")
    return Handshake(
        _key(said.get(b"sec-websocket-key", b"")),
        tuple(protocols),
        _text(said.get(b"authorization")),
        _text(said.get(TRACE)),
    )


def _key(value: bytes) -> str:
    try:
        is_key = len(binascii.a2b_base64(value, strict_mode=True)) == KEY_BYTES
    except binascii.Error:
        is_key = False
    if not is_key:
        raise Unfit(400, "Sec-WebSocket-Key has to be 16 bytes in base64.")
    return value.decode("ascii")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
