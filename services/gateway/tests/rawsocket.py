"""A WebSocket byte by byte, as RFC 6455 has it: a client that may do what none should."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from libs.testing.served import served
from libs.wire.streams import JSON_PROTOCOL
from services.gateway.tests.edge import Edge

ANSWER_S = 10.0
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = b"\x01\x80\xff\x2a"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Heard(NamedTuple):
    """A frame of the server's."""

    opcode: int
    payload: bytes


class Ended(NamedTuple):
    """How the server closed: the code of its close frame, None when the connection just ended."""

    code: int | None


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = True
) -> bytes:
    """A frame of a client's."""
    size = len(payload)
    if size < 126:
        length = bytes((size,))
    elif size < 1 << 16:
        length = b"\x7e" + size.to_bytes(2, "big")
    else:
        length = b"\x7f" + size.to_bytes(8, "big")
    first = fin << 7 | reserved << 4 | opcode
    if not masked:
        return bytes((first,)) + length + payload
    length = bytes((length[0] | 0x80,)) + length[1:]
    hidden = bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload))
    return bytes((first,)) + length + MASK + hidden


def closing(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def request(*, without: str = "", **changed: str) -> bytes:
    """A handshake, with headers changed by their names (`_` for `-`) or left out."""
    headers = {
        "host": "gateway",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
        "sec-websocket-protocol": JSON_PROTOCOL,
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if name != without]
    return "\r\n".join(["GET /v1/ws HTTP/1.1", *lines, "", ""]).encode()


class RawSocket:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        """Each piece by itself, as far as the kernel lets it."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0)

    async def head(self) -> bytes:
        """The answer to the handshake, with its body if it says how long that is."""
        async with asyncio.timeout(ANSWER_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            for line in head.lower().split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name == b"content-length":
                    head += await self.reader.readexactly(int(value))
            return head

    async def greet(self, token: str) -> None:
        """Open it and say hello."""
        await self.send(request())
        assert (await self.head()).startswith(b"HTTP/1.1 101 ")
        await self.send(frame(TEXT, b'{"type":"hello","token":"%b"}' % token.encode()))
        assert b'"welcome"' in (await self.hear()).payload

    async def hear(self) -> Heard:
        """The next frame. Raises `EOFError` at the end of the connection, however it ended."""
        async with asyncio.timeout(ANSWER_S):
            try:
                return await self._frame()
            except (asyncio.IncompleteReadError, ConnectionError) as end:
                raise EOFError from end

    async def hear_all(self) -> tuple[list[Heard], Ended]:
        """Read to the end: what came before the close, and how that was."""
        heard: list[Heard] = []
        while True:
            try:
                heard.append(await self.hear())
                if heard[-1].opcode == CLOSE:
                    # Or the server waits for it.
                    await self.send(frame(CLOSE, heard[-1].payload[:2]))
            except (EOFError, ConnectionError):
                break
        if not heard or heard[-1].opcode != CLOSE:
            return heard, Ended(None)
        code = heard.pop().payload[:2]
        return heard, Ended(int.from_bytes(code, "big") if code else 0)

    async def ended(self) -> Ended:
        """Read to the end, and say how it was."""
        return (await self.hear_all())[1]

    async def _frame(self) -> Heard:
        first, second = await self.reader.readexactly(2)
        assert first & 0x70 == 0, "reserved bits of the server's"
        assert first & 0x80, "the server sends whole messages"
        assert second & 0x80 == 0, "the server masks nothing"
        size = second & 0x7F
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8), "big")
        return Heard(first & 0xF, await self.reader.readexactly(size))


@asynccontextmanager
async def raw(it: Edge) -> AsyncIterator[RawSocket]:
    """A connection to the gateway on which nothing was said."""
    async with served(it.running.app, http=it.running.http) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield RawSocket(reader, writer)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def welcome(it: Edge) -> AsyncIterator[RawSocket]:
    """One whose person is known, in JSON."""
    async with raw(it) as link:
        await link.greet(it.session.token("ann"))
        yield link


def cut(data: bytes) -> Sequence[bytes]:
    """Byte by byte."""
    return [data[at : at + 1] for at in range(len(data))]
