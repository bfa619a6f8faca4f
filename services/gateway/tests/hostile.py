"""Clients that do what none should, each on a socket of its own. All end by themselves or are ended
by the gateway, and none of them closes as it should."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from services.gateway.tests.edge import CHANNEL
from services.gateway.tests.rawsocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawSocket,
    frame,
    request,
)

# What a client of these holds in the kernel while it reads nothing.
KERNEL_BYTES = 4 << 10
END_S = 20.0
HALF_BYTES = 250_000
# So many of them that what they hold would be seen in the memory of the process.
HALVES = 6
# A linger of no time: the connection is reset when it is closed.
RESET = struct.pack("ii", 1, 0)


def watching(cursor: str) -> bytes:
    """A message that follows the channel."""
    return frame(TEXT, json.dumps({"type": "watch", "cursors": {CHANNEL: cursor}}).encode())


WATCH = watching("1-8")
POST = frame(
    TEXT,
    b'{"type":"post","ref":1,"channel":"%b","message":{"text":"a"}}' % CHANNEL.encode(),
)


class Hostile:
    """One connection to the gateway at `address`, of a user with this token."""

    def __init__(self, address: str, token: str) -> None:
        at = urlsplit(address)
        self._at = at.hostname, at.port
        self.token = token
        self.link: RawSocket

    async def open(self) -> None:
        """Connect, with so little room that a gateway is soon not read any more."""
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, self._at)
        self.link = RawSocket(*await asyncio.open_connection(sock=plain, limit=KERNEL_BYTES))

    def get(self, path: str, more: str = "") -> bytes:
        """A request of that user's."""
        head = f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.token}\r\n{more}"
        return f"{head}\r\n".encode()

    def poll(self, after: str = "1-10") -> bytes:
        """One that parks."""
        return self.get(f"/v1/channels/{CHANNEL}/poll?after={after}&wait=25")

    async def send(self, *pieces: bytes) -> None:
        """As far as the gateway takes it."""
        try:
            async with asyncio.timeout(END_S):
                await self.link.send(*pieces)
        except (ConnectionError, TimeoutError):
            pass

    async def greet(self) -> None:
        """Open a WebSocket."""
        await self.link.greet(self.token)

    def reset(self) -> None:
        """Be gone, with no goodbye."""
        plain = self.link.writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.link.writer.transport.abort()

    async def is_ended(self) -> None:
        """The gateway ends it. Raises `TimeoutError` when it does not."""
        try:
            async with asyncio.timeout(END_S):
                while await self.link.reader.read(1 << 16):
                    pass
        except ConnectionError:
            pass
        self.link.writer.transport.abort()


Deed = Callable[[Hostile], Awaitable[None]]


async def parks_and_goes(it: Hostile) -> None:
    await it.send(it.poll())
    it.reset()


async def parks_and_says_no_more(it: Hostile) -> None:
    await it.send(it.poll())
    it.link.writer.write_eof()
    await it.is_ended()


async def pipelines_and_goes(it: Hostile) -> None:
    await it.send(it.poll() * 50)
    it.reset()


async def stops_amid_a_head(it: Hostile) -> None:
    await it.send(it.poll()[:-3])
    it.reset()


async def says_a_head_byte_by_byte_and_goes(it: Hostile) -> None:
    await it.send(*(bytes((each,)) for each in it.poll()[:60]))
    it.reset()


async def says_too_much(it: Hostile) -> None:
    await it.send(it.get("/v1/me", "x: " + "y" * (32 << 10)))
    await it.is_ended()


async def smuggles(it: Hostile) -> None:
    await it.send(it.get("/v1/me", "content-length: 3\r\ntransfer-encoding: chunked\r\n"))
    await it.is_ended()


async def sends_half_a_body(it: Hostile) -> None:
    await it.send(it.get("/v1/me", "content-length: 60000\r\n"), bytes(30_000))
    it.reset()


async def follows_events_and_reads_nothing(it: Hostile) -> None:
    await it.send(it.get(f"/v1/stream?channels={CHANNEL}", f"last-event-id: {CHANNEL}=1-8\r\n"))
    it.reset()


async def shakes_hands_and_says_nothing(it: Hostile) -> None:
    await it.send(request())
    it.reset()


async def greets_and_goes(it: Hostile) -> None:
    await it.greet()
    await it.send(WATCH)
    it.reset()


async def posts_and_goes(it: Hostile) -> None:
    await it.greet()
    await it.send(WATCH, POST * 20)
    it.reset()


async def posts_and_breaks_the_protocol(it: Hostile) -> None:
    await it.greet()
    await it.send(POST * 5 + frame(TEXT, b"{}", reserved=7))
    await it.is_ended()


async def asks_and_reads_no_reply(it: Hostile) -> None:
    await it.greet()
    await it.send(frame(TEXT, b'{"type":"ping","ref":1}') * 4_000)
    it.reset()


async def sends_fragments_without_end(it: Hostile) -> None:
    await it.greet()
    await it.send(frame(TEXT, b" ", fin=False) + frame(CONTINUATION, b" ", fin=False) * 2_000)
    await it.is_ended()


async def keeps_half_a_large_message(it: Hostile) -> None:
    await it.greet()
    await it.send(frame(TEXT, bytes(HALF_BYTES + 1))[:HALF_BYTES])
    it.reset()


async def floods_with_control_frames(it: Hostile) -> None:
    await it.greet()
    await it.send((frame(PING, bytes(125)) + frame(PONG)) * 2_000)
    await it.is_ended()


async def says_no_text(it: Hostile) -> None:
    await it.greet()
    await it.send(frame(TEXT, b"\xff\xfe"), frame(BINARY, b"\xc1"))
    await it.is_ended()


async def closes_and_goes_on(it: Hostile) -> None:
    await it.greet()
    await it.send(frame(CLOSE, b"\x03\xe8") + WATCH + POST)
    await it.is_ended()


DEEDS: tuple[Deed, ...] = (
    *(parks_and_goes, parks_and_says_no_more, pipelines_and_goes, stops_amid_a_head),
    *(says_a_head_byte_by_byte_and_goes, says_too_much, smuggles, sends_half_a_body),
    *(follows_events_and_reads_nothing, shakes_hands_and_says_nothing, greets_and_goes),
    *(posts_and_goes, posts_and_breaks_the_protocol, asks_and_reads_no_reply),
    *(sends_fragments_without_end, floods_with_control_frames, says_no_text, closes_and_goes_on),
    *[keeps_half_a_large_message] * HALVES,
)
