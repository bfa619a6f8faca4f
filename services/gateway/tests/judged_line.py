"""An HTTP connection that is sent anything, and what holds whatever it is.

No exception leaves the protocol or its callbacks. Each request gets at most one answer, its own and
in its turn, and nothing follows the last one. What is held is bounded. No request is framed in two
ways. When the client is gone nothing is left of it.
"""

import asyncio
from typing import Any, NamedTuple

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from libs.wire.codes import Refused
from services.gateway.http_line import HEAD_BYTES_MAX, PIECE_BYTES
from services.gateway.http_poll import PollHTTP, poll_http
from services.gateway.poll_lane import Asked, Caller
from services.gateway.tests.lines import FakeLane, Line
from services.gateway.tests.scripts import TIMES, Act, Step, steps

# So much a transport gives at once.
READ_BYTES = 64 << 10
# uvicorn reads no more of a body while an app has so much before it.
BODY_BYTES = 64 << 10
# The shortest requests that can be pipelined.
SHORTEST = len(b"GET / HTTP/1.1\r\n\r\n")
# Of each header: the colon and the end of its line.
BESIDE_BYTES = 3
TURNS = 8
REFUSALS = frozenset({400, 401, 405, 408, 426, 431})
TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
EARLY = b"/early"


class Due(NamedTuple):
    """An answer that has to come: whether it is without its body, and what that is."""

    is_head: bool
    body: bytes


class Wire(Line):
    """A transport that a WebSocket may take over, and that ends a turn after it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Any = None
        self.is_lost = False
        self.is_shut = False
        # The client takes nothing, and the protocol was told so.
        self.is_full = False
        self.is_writing_over = False
        self.too_late = b""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: Any) -> None:
        if self.is_shut:
            # The other side has closed; we hear of it a turn later.
            return
        if self.is_closed or self.is_writing_over:
            # To be judged later: an app's server swallows what it raises.
            self.too_late += data
        else:
            super().write(data)

    def write_eof(self) -> None:
        self.is_writing_over = True

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        if not self.is_closed:
            super().close()
            asyncio.get_running_loop().call_soon(self.lose)

    def abort(self) -> None:
        self.close()

    def lose(self) -> None:
        """The connection is gone."""
        self.is_closed = True
        if not self.is_lost:
            self.is_lost = True
            self.protocol.connection_lost(None)

    async def turns(self) -> None:
        """Let happen what can; what comes is read while it is wanted."""
        for _ in range(TURNS):
            if self.coming and not self.is_paused and not self.is_closed:
                data = bytes(self.coming[:READ_BYTES])
                del self.coming[:READ_BYTES]
                self.protocol.data_received(data)
            await asyncio.sleep(0)


class _Lane(FakeLane):
    def __init__(self, due: list[Due]) -> None:
        super().__init__()
        self.due = due

    def take(self, caller: Caller, asked: Asked) -> None:
        assert not self.parked, "a connection has one request under way"
        self.due.append(Due(False, b"poll " + asked.channel.encode() + b"?" + asked.query))
        super().take(caller, asked)


class _NobodyIn:
    """A desk where nobody is let in."""

    def __getattr__(self, _: str) -> Any:
        raise Refused("token_missing", "nobody is let in")


async def live(script: bytes) -> None:
    """One connection, from its first byte to its end. Raises `AssertionError` for whatever must
    not be."""
    line = JudgedLine()
    await line.live(script)
    seen = list(steps(script))
    if any(step.act is not Act.SEND for step in seen):
        return
    whole = JudgedLine()
    await whole.live(b"".join(step.piece for step in seen))
    assert whole.due == line.due, "where it was cut made a difference"


class JudgedLine:
    """See `live`."""

    def __init__(self) -> None:
        self.due: list[Due] = []
        self.heads = 0
        self.lane = _Lane(self.due)
        self.state = ServerState()
        self.wire = Wire()
        self.faults: list[dict[str, Any]] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.faults.append(context))
        config = uvicorn.Config(
            self._app, interface="asgi3", lifespan="off", log_config=None, access_log=False
        )
        self.line = self._http()(config, self.state, {}, loop)
        self.wire.protocol = self.line
        self.line.connection_made(self.wire)

    async def live(self, script: bytes) -> None:
        """Raises `AssertionError` for whatever must not be."""
        try:
            for step in steps(script):
                await self._step(step)
                if self.wire.is_closed:
                    break
            self._stop_or_take(is_taking=True)
            await self._rest()
            self._judge_answers()
        finally:
            # Whoever still writes would wait for ever.
            self.wire.lose()
            await self.wire.turns()
        self._judge_end()

    async def _step(self, step: Step) -> None:
        self.wire.coming += step.piece * (TIMES if step.act is Act.FLOOD else 1)
        await self.wire.turns()
        match step.act:
            case Act.ANSWER if self.lane.parked:
                self.lane.answer()
            case Act.STOP | Act.TAKE:
                self._stop_or_take(is_taking=step.act is Act.TAKE)
            case Act.LATE if self.line._timer is not None:
                self.line._end_timer()
                self.line._late()
            case Act.SHUT if not self.wire.is_closed:
                self.wire.protocol.eof_received()
                self.wire.is_shut = True
                self.wire.close()
            case _:
                pass
        await self.wire.turns()
        self._judge_held()

    def _stop_or_take(self, *, is_taking: bool) -> None:
        if self.wire.protocol is not self.line or self.wire.is_lost:
            return
        if self.line.flow.write_paused and is_taking:
            self.line.resume_writing()
        elif not (self.line.flow.write_paused or is_taking):
            self.line.pause_writing()

    async def _rest(self) -> None:
        """Until nobody is parked and nothing more comes."""
        before = -1
        while (now := len(self.due) + len(self.wire.coming) + len(self.line._kept)) != before:
            before = now
            while self.lane.parked:
                self.lane.answer()
                await self.wire.turns()
            await self.wire.turns()

    def _judge_held(self) -> None:
        line = self.line
        if self.wire.is_closed or self.wire.protocol is not line:
            return
        assert len(line._kept) <= READ_BYTES
        lines = [len(name) + len(value) + BESIDE_BYTES for name, value in line.headers or ()]
        assert sum(lines) <= HEAD_BYTES_MAX + PIECE_BYTES
        assert len(line.pipeline) <= PIECE_BYTES // SHORTEST + 1
        cycles = [line.cycle, *(cycle for cycle, _ in line.pipeline)]
        bodies = sum(len(getattr(cycle, "body", b"")) for cycle in cycles)
        assert bodies <= BODY_BYTES + READ_BYTES

    def _judge_answers(self) -> None:
        """In their turn, each once, and none is missing while the connection goes on."""
        statuses = list(_statuses(bytes(self.wire.written), self.due))
        assert set(statuses) <= {200, *REFUSALS}, statuses
        assert len(statuses) <= self.heads + 1, "more answers than requests"
        if not self.wire.is_closed:
            assert statuses.count(200) == len(self.due), "a request without an answer"

    def _judge_end(self) -> None:
        assert not self.faults, self.faults
        assert not self.wire.too_late, "written after the end"
        assert self.lane.parked == []
        assert self.state.connections == set()
        assert self.state.tasks == set()
        assert (self.line._kept, len(self.line.pipeline)) == (b"", 0)
        assert self.line._timer is None
        assert self.line.timeout_keep_alive_task is None

    def _http(self) -> type[PollHTTP]:
        judge = self

        class Judged(poll_http(self.lane, _NobodyIn())):  # type: ignore[misc]
            __slots__ = ()

            def request(self) -> None:
                judge.heads += 1
                judge_framing(self.headers)
                super().request()

        return Judged

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Says what it was asked, once it has the body; on one path it does not wait for that."""
        said = f"{scope['method']} ".encode() + scope["raw_path"] + b" "
        while scope["raw_path"] != EARLY:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            said += message["body"]
            if not message["more_body"]:
                break
        headers = dict(scope["headers"])
        if b"content-length" in headers and scope["raw_path"] != EARLY:
            prefix = len(scope["method"]) + len(scope["raw_path"]) + 2
            assert len(said) == prefix + int(headers[b"content-length"]), "another body"
        self.due.append(Due(scope["method"] == "HEAD", said))
        head = [(b"content-length", b"%d" % len(said))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": said})


def judge_framing(headers: list[tuple[bytes, bytes]]) -> None:
    """Whoever is in front of us would find the end of this request where we do."""
    names = [name for name, _ in headers]
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1, names
    for name, value in headers:
        assert name, "a header without a name"
        assert TOKEN.issuperset(name), name
        assert not {0, 10, 13}.intersection(value), value
        assert name != b"content-length" or value.strip(b" \t").isdigit(), value
        assert name != b"transfer-encoding" or value.lower().strip(b" \t").endswith(b"chunked")


def _statuses(written: bytes, due: list[Due]) -> Any:
    """Of the answers; those that are due have to be themselves."""
    waiting = iter(due)
    while written:
        head, end, written = written.partition(b"\r\n\r\n")
        assert end, head
        assert head.startswith(b"HTTP/1.1 "), head
        status = int(head.split(b" ", 2)[1])
        if status == 100:
            continue
        yield status
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        size = int(fields[b"content-length"])
        if status != 200:
            assert len(written) == size, "something follows a refusal"
            return
        wanted = next(waiting)
        assert size == len(wanted.body)
        size = 0 if wanted.is_head else size
        assert written[:size] == (b"" if wanted.is_head else wanted.body)
        written = written[size:]
