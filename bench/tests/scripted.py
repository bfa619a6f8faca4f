"""A server that says what a test wrote down, to each connection its own, byte for byte."""

import asyncio
from collections.abc import Callable, Sequence

from bench.tests.in_thread import InThread
from bench.ways import Count, Hear, Listening, Say, Way

SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n"
)
REFUSED = b"HTTP/1.1 4"
STREAMS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

Pieces = Sequence[bytes]


def text_of(ids: Sequence[int]) -> bytes:
    """What the gateway says in JSON, as far as the client looks at it."""
    entries = ",".join(f'{{"id":{each},"type":"message","text":"x \\"id\\":7"}}' for each in ids)
    return f'{{"channel":"C","entries":[{entries}],"cursor":"1-{ids[-1]}"}}'.encode()


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """A frame of a server."""
    if len(payload) < 126:
        return bytes((0x80 | opcode, len(payload))) + payload
    return bytes((0x80 | opcode, 126)) + len(payload).to_bytes(2, "big") + payload


def packed(ids: Sequence[int], base: int = 0) -> bytes:
    """Entries in msgpack, under alias 1; an entry is `["a", "b", 0, "x"]`."""
    entry = b"\x94\xa1a\xa1b\x00\xa1x"
    first = (ids[0] - base).to_bytes(2, "big", signed=True)
    return bytes((0x90 | (2 + len(ids)), 1)) + b"\xd1" + first + entry * len(ids)


def chunk(payload: bytes) -> bytes:
    """A chunk."""
    return f"{len(payload):x}\r\n".encode() + payload + b"\r\n"


def answer(body: bytes, status: str = "200 OK") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def said(way: Way, *answers: Sequence[int]) -> Pieces:
    """One answer, event or frame for each list of ids."""
    if way is Way.PACKED:
        return [frame(packed(ids), 2) for ids in answers]
    texts = [text_of(ids) for ids in answers]
    if way is Way.POLL:
        return [answer(text) for text in texts]
    if way is Way.JSON:
        return [frame(text) for text in texts]
    return [chunk(b"id: C=1-1\ndata: " + text + b"\n\n") for text in texts]


GREETINGS = {Way.POLL: b"", Way.JSON: SWITCHED, Way.PACKED: SWITCHED, Way.SSE: STREAMS}


class Scripted(InThread):
    """`greet` is sent for the first request of a connection. `wake` sends each connection its
    pieces, one for each request that it makes where `way` is a poll; None closes it. GET /count
    tells how many requests wait."""

    def __init__(self, way: Way, greet: bytes | None = None) -> None:
        super().__init__()
        self.way = way
        self._greet = GREETINGS[way] if greet is None else greet
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._requests = 0

    def listening(self, *steps: Say | Hear, counts: bool = True) -> Listening:
        """How the client listens here."""
        count = [Count(self.address, "/count", "parked")] if counts and self.way is Way.POLL else []
        return Listening(
            self.way,
            [self.address],
            "/listen?after=1-{id}",
            steps=steps,
            counts=count,
            is_packed=self.way is Way.PACKED,
        )

    def wake(self, pieces: Callable[[int], Sequence[bytes | None]]) -> None:
        """Send to connection `n`, in the order in which they came, `pieces(n)`."""
        self.do(self._wake(pieces))

    @property
    def requests(self) -> int:
        """How many there were so far, but for those of how many wait."""
        return self._requests

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See `InThread`."""
        request = await reader.readuntil(b"\r\n\r\n")
        if request.startswith(b"GET /count"):
            writer.write(answer(f"parked {self._requests}\n".encode()))
            writer.close()
            return
        self._requests += 1
        writer.write(self._greet)
        if self._greet.startswith(REFUSED):
            writer.close()
            return
        self._open.append((reader, writer))

    def leave(self) -> None:
        """See `InThread`."""
        for _, writer in self._open:
            writer.close()

    async def _wake(self, pieces: Callable[[int], Sequence[bytes | None]]) -> None:
        for number, (reader, writer) in enumerate(self._open):
            await self._tell(reader, writer, pieces(number))

    async def _tell(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pieces: Sequence[bytes | None],
    ) -> None:
        for piece in pieces:
            if piece is None:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()
            is_answer = self.way is Way.POLL and piece.startswith(b"HTTP/1.1 200")
            if is_answer and piece is not pieces[-1]:
                await reader.readuntil(b"\r\n\r\n")
