"""One question to one gateway: the place where aiohttp's errors become ours."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

import aiohttp
import msgspec

from rostrum.errors import OutcomeUnknown, Refused, Unreachable, Unreadable, problem_of

T = TypeVar("T")

# A connection that is not there in this time is to a machine that is away.
CONNECT_S = 5.0
# A page of 100 entries of 4,096 characters, escaped, is below this (docs/protocol.md, Limits).
ANSWER_BYTES_MAX = 4 << 20
CHUNK_BYTES = 1 << 16
# As many as a gateway takes from one address; more wait for one that is free.
CONNECTIONS_MAX = 1_000
# Gateways close a connection that was idle for 5 s: one that is closed here first is never used
# at that moment, which would leave a post without an answer.
KEEP_ALIVE_S = 4.0
JSON = "application/json"
REDIRECTS = 300
PROBLEMS = 400
# A week: longer is a mistake of whatever said it, and no number that a clock has to know.
RETRY_AFTER_DIGITS_MAX = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[T]):
    """What is asked. `shape` is what the answer's JSON is read as; `type(None)`: it has none."""

    method: str
    path: str
    shape: type[T]
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str | int] | None = None
    is_open: bool = False


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """What was answered: HTTP status, and the body as what was asked for. `limited_s` is how long
    a limit made the question wait, the last time that it did; None when it did not."""

    status: int
    value: T
    limited_s: float | None = None


class _Sending:
    """One attempt: whether a byte of it may have left."""

    is_sent = False


class Door:
    """Connections to gateways. To be made in the loop that uses it, and closed."""

    def __init__(self, user_agent: str, connections: int = CONNECTIONS_MAX) -> None:
        self.raw = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
            trace_configs=[_noting()],
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.raw.close()

    async def send(
        self, gateway: str, question: Question[T], token: str | None, *, answer_s: float
    ) -> Answer[T]:
        """One attempt. Raises `Unreachable` when nothing was sent, `OutcomeUnknown` when it was and
        no answer came in `answer_s` seconds, `Unreadable`, and what the answer says when it is a
        problem."""
        sending = _Sending()
        try:
            async with asyncio.timeout(answer_s):
                return await self._exchange(gateway, question, token, sending)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            why = _said(fault) if str(fault) else f"no answer in {answer_s:.3g} s"
            if not sending.is_sent:
                raise Unreachable({gateway: why}) from fault
            raise OutcomeUnknown("connection_broken", f"{gateway}: {why}") from fault

    async def _exchange(
        self, gateway: str, question: Question[T], token: str | None, sending: _Sending
    ) -> Answer[T]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        body = None
        if question.body is not None:
            body = msgspec.json.encode(question.body)
            headers["Content-Type"] = JSON
        async with self.raw.request(
            question.method,
            gateway + question.path,
            params=question.query,
            data=body,
            headers=headers,
            # A redirect would be handed the token; gateways send none.
            allow_redirects=False,
            trace_request_ctx=sending,
        ) as reply:
            return _answer(question, reply, await _read(reply))


def _noting() -> aiohttp.TraceConfig:
    """Notes of each attempt when it begins to be sent. An error alone would not tell: a deadline
    may fall into connecting as well as into waiting for the answer."""

    async def note(_: object, context: SimpleNamespace, __: object) -> None:
        if isinstance(context.trace_request_ctx, _Sending):
            context.trace_request_ctx.is_sent = True

    config = aiohttp.TraceConfig()
    config.on_request_headers_sent.append(note)
    return config


async def _read(reply: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in reply.content.iter_chunked(CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            reply.close()
            raise Unreadable(f"over {ANSWER_BYTES_MAX} bytes")
    return b"".join(chunks)


def _answer(question: Question[T], reply: aiohttp.ClientResponse, raw: bytes) -> Answer[T]:
    status = reply.status
    if status >= PROBLEMS:
        raise problem_of(status, raw, retry_after_s=retry_after_s(reply.headers))
    if status >= REDIRECTS:
        where = reply.headers.get("Location", "elsewhere")
        what = f"status {status} sends you to {where}; give the address that it leads to"
        raise Refused("not_ours", what, status=status)
    if question.shape is type(None):
        return Answer(status, msgspec.convert(None, question.shape))
    if reply.content_type != JSON:
        what = f"{reply.content_type} is no answer of a gateway; check the address {reply.url}"
        raise Refused("not_ours", what, status=status)
    try:
        return Answer(status, msgspec.json.decode(raw, type=question.shape))
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as fault:
        raise Unreadable(str(fault)) from fault


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds of a `Retry-After`, if there is one of seconds."""
    header = headers.get("Retry-After", "")
    is_number = header.isascii() and header.isdigit() and len(header) <= RETRY_AFTER_DIGITS_MAX
    return float(header) if is_number else None


def _said(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}"
