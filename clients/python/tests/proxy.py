"""Something between a client and a gateway that does not let everything through."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

CHUNK_BYTES = 4_096
GROWS_BYTES = 1_000
NO_UPGRADES = b"HTTP/1.1 501 Not here\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass
class Proxy:
    """Enter it to listen at `url` for the gateway at `behind`. Its properties may be changed at any
    time and count for what comes then.

    `cuts_after`: connections are cut after so many bytes of answers, at random between the two. The
    second grows with each cut, so that an answer that is larger comes through at last.
    """

    behind: str
    upgrades: bool = True
    holds_events: bool = False
    cuts_after: tuple[int, int] | None = None
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    cuts: int = 0
    url: str = ""
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    def allowance(self) -> int | None:
        """After how many bytes of answers the next connection is cut; None: never."""
        if self.cuts_after is None:
            return None
        least, most = self.cuts_after
        return self.dice.randint(least, most + self.cuts * GROWS_BYTES)

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = asyncio.current_task()
        assert own is not None
        self._open[own] = writer
        try:
            with suppress(OSError):
                await self._pass_on(reader, writer)
        finally:
            del self._open[own]
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = urlsplit(self.behind)
        theirs, ours = await asyncio.open_connection(host.hostname, host.port)
        line = _Line(self, writer)
        works = [
            asyncio.ensure_future(work) for work in (line.ask(reader, ours), line.answer(theirs))
        ]
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Either side hears of it, and ends.
            ours.transport.abort()
            writer.transport.abort()
            await asyncio.wait(works)


class _Line:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self._is_held = False

    async def ask(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK_BYTES):
                # A connection carries several requests, each in a chunk of its own.
                if b"upgrade: websocket" in chunk.lower() and not self._proxy.upgrades:
                    self._client.write(NO_UPGRADES)
                    await self._client.drain()
                    return
                self._is_held = chunk.startswith(b"GET /v1/stream") and self._proxy.holds_events
                sink.write(chunk)
                await sink.drain()

    async def answer(self, source: asyncio.StreamReader) -> None:
        proxy = self._proxy
        left = proxy.allowance()
        with suppress(OSError):
            while chunk := await source.read(CHUNK_BYTES):
                if self._is_held:
                    continue
                self._client.write(chunk if left is None else chunk[:left])
                await self._client.drain()
                left = None if left is None else left - len(chunk)
                if left is not None and left <= 0:
                    proxy.cuts += 1
                    return
