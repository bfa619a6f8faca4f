"""A gateway that does what a test says, over a real socket: answers, breaks off, says nothing."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Request:
    """What a client sent. `body` is its JSON, None when there is none."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Any

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True)
class Reply:
    """What is sent back. `cut`: only so many bytes, and then the connection breaks."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None

    def raw(self) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} Said",
            f"content-type: {self.media_type}",
            f"content-length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        whole = "\r\n".join((*lines, "", "")).encode() + self.body
        return whole if self.cut is None else whole[: self.cut]


def said(body: Any, status: int = 200, *, cut: int | None = None) -> Reply:
    """An answer."""
    return Reply(status, json.dumps(body).encode(), cut=cut)


def problem(
    status: int, code: str, retry: str, *, after: str | None = None, detail: str = "so it is"
) -> Reply:
    """A problem as gateways answer it."""
    body = {"code": code, "detail": detail, "retry": retry, "status": status, "type": "urn:x"}
    headers = {} if after is None else {"retry-after": after}
    return Reply(status, json.dumps(body).encode(), PROBLEM, headers)


Handle = Callable[[Request], Awaitable[Reply]]


def in_turn(*replies: Reply) -> Handle:
    """One reply after the other, and the last one from then on."""
    left = list(replies)

    async def handle(_: Request) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return handle


class Scripted:
    """Enter it to listen. `requests` is what came so far."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.requests: list[Request] = []
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.url = ""

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._open)

    async def __aenter__(self) -> "Scripted":
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
            writer.close()
        await asyncio.gather(*self._open)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = asyncio.current_task()
        assert own is not None
        self._open[own] = writer
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                reply = await self._handle(request)
                writer.write(reply.raw())
                await writer.drain()
                if reply.cut is not None:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            del self._open[own]
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode().rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, json.loads(body) if body else None)


@contextmanager
def deaf() -> Iterator[str]:
    """An address that answers no packet, as a machine that is off: its queue is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for caller in (first, second):
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


# Held as long as the tests run: a port that is free may be given to the very connection that is
# made to it, which then talks to itself.
_HELD: list[socket.socket] = []


def nowhere() -> str:
    """An address where nobody listens."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    _HELD.append(held)
    return f"http://127.0.0.1:{held.getsockname()[1]}"
