"""HTTP/1.1 to one gateway over plain asyncio streams: a client library would cost more per request
than the gateway that answers it."""

import asyncio
import json
from contextlib import suppress
from typing import Any, NamedTuple

NO_ANSWER, NOT_CONNECTED = 0, "refused"
# Of one answer: a page of 100 entries of 4,096 characters of four bytes fits.
ANSWER_BYTES_MAX = 4 << 20


class Answer(NamedTuple):
    """Status and JSON body; `NO_ANSWER` when there was none, and the body's code says why.
    `retry_after_s` is what the server asks to wait."""

    status: int
    body: dict[str, Any]
    retry_after_s: float = 0.0

    @property
    def code(self) -> str:
        """The problem's code, or why there was no answer; empty for a success."""
        return str(self.body.get("code", ""))

    @property
    def is_certainly_undone(self) -> bool:
        """Whether the request changed nothing: no connection was made, or the problem says that it
        may be sent again as a new one, or never."""
        if self.status == NO_ANSWER:
            return self.code == NOT_CONNECTED
        return self.status >= 400 and self.body.get("retry") in ("yes", "no")


class Gateway:
    """One gateway at `host:port`, and the connections to it that are idle."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(
        self, method: str, path: str, token: str = "", *, body: Any = None, timeout_s: float
    ) -> Answer:
        """Send one request. A connection that broke or was given up is closed, and the answer is
        0 then: whether the request was done is not known."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await self._connection()
                writer.write(_request(method, path, token, body))
                answer = await _answer(reader)
        except TimeoutError:
            _close(writer)
            return Answer(NO_ANSWER, {"code": "timeout"})
        except (OSError, EOFError, asyncio.LimitOverrunError) as fault:
            _close(writer)
            code = NOT_CONNECTED if writer is None else type(fault).__name__
            return Answer(NO_ANSWER, {"code": code})
        except BaseException:
            _close(writer)
            raise
        self._idle.append((reader, writer))
        return answer

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            _close(self._idle.pop()[1])

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            _close(writer)
        return await asyncio.open_connection(self._host, self._port, limit=ANSWER_BYTES_MAX)


def _close(writer: asyncio.StreamWriter | None) -> None:
    if writer is not None:
        with suppress(OSError):
            writer.close()


def _request(method: str, path: str, token: str, body: Any) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: test\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    if body is None:
        return f"{head}\r\n".encode()
    raw = json.dumps(body).encode()
    head += f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


async def _answer(reader: asyncio.StreamReader) -> Answer:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    wait_s = float(headers.get("retry-after", "0"))
    return Answer(int(first.split(" ", 2)[1]), json.loads(raw) if raw else {}, wait_s)
