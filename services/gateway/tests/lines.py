"""A connection of the gateway without a socket: bytes in, answers out, in any pieces."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from libs.runtime.web import Person
from services.gateway.http_poll import PollHTTP, poll_http
from services.gateway.poll_lane import Asked, Caller, Target
from services.gateway.tokens import Checked

TURNS = 12


class Answer(NamedTuple):
    """One HTTP answer as its bytes say."""

    status: int
    body: bytes
    closes: bool


class Line(asyncio.Transport):
    """Keeps what is written. While reading is paused what comes waits, as in the kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.writes = 0
        self.coming = bytearray()
        self.is_paused = False
        self.is_closed = False
        self.most_paused = 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        assert not self.is_closed, "written after the end"
        self.writes += 1
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


class FakeLane:
    """Parks every poll, but those without a cursor; `asked` has what came, in order."""

    is_draining = False

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.parked: list[tuple[Caller, Asked]] = []
        self.went = 0
        # Others are still to be told, for whom there is no time, and who waits for that.
        self.is_busy = False
        self.is_behind = True
        self.late: list[Callable[[], None]] = []
        # Who was told as one of very many and has its place yet.
        self.woken: list[Caller] = []
        # How many came by what was known of the one before, and whether that still counts.
        self.again = 0
        self.holds = True
        # Of what callers look at there are only the hub and the waker.
        self.lot = self
        self.hub = self
        self.waker = self

    def take(self, caller: Caller, asked: Asked) -> None:
        self.asked.append(asked)
        self.parked.append((caller, asked))
        caller.trace_id = asked.trace_id
        if asked.authorization is not None:
            caller.checked = Checked(Person(asked.authorization, ""), 0)
        if b"after" not in asked.query:
            self.answer()

    def target(self, channel: str, query: bytes) -> Target:
        """The query stands where the cursor would."""
        return Target(channel, query, 0.0)  # type: ignore[arg-type]

    def take_again(self, caller: Caller, checked: Checked, target: Target) -> bool:
        if self.holds:
            query: Any = target.cursor
            self.again += 1
            self.take(caller, Asked(target.channel, query, checked.person.user, None))
        return self.holds

    def answer(self) -> None:
        """Answer the one that is parked: a connection has no second."""
        ((caller, asked),) = self.parked
        self.parked.clear()
        caller.tell(b"poll " + asked.channel.encode() + b"?" + asked.query)

    def wake(self) -> None:
        """Answer it as one of very many."""
        ((woken, asked),) = self.parked
        self.parked.clear()
        self.woken.append(woken)
        woken.wake(b"poll " + asked.channel.encode() + b"?" + asked.query)

    def afterwards(self, late: Callable[[], None]) -> None:
        self.late.append(late)

    def let_in(self) -> None:
        """All are answered, and their places are given away."""
        self.is_busy = False
        for woken in self.woken:
            woken.left()
        self.woken.clear()
        for late in self.late:
            late()

    def gone(self, caller: Caller) -> None:
        self.went += 1
        self.parked = [each for each in self.parked if each[0] is not caller]

    def left(self, _: Caller) -> None:
        return None


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """The app behind: says what it was asked, once it has the body; on the path /early it begins
    to answer before."""
    request = Request(scope, receive)
    try:
        if scope["path"] == "/early":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await request.body()
        body = await request.body()
    except ClientDisconnect:
        return
    said = f"{request.method} {scope['raw_path'].decode()} ".encode() + body
    await Response(said)(scope, receive, send)


class Client:
    """Talks to one connection."""

    def __init__(self, *, head_s: float | None = None, body_s: float | None = None) -> None:
        self.lane = FakeLane()
        http: type[PollHTTP] = poll_http(self.lane, None)  # type: ignore[arg-type]
        if head_s is not None:
            http.head_s = head_s
        if body_s is not None:
            http.body_s = body_s
        config = uvicorn.Config(echo, http=http, lifespan="off", log_config=None, access_log=False)
        self.state = ServerState()
        self.line = Line()
        self.protocol = http(config, self.state, {}, asyncio.get_running_loop())
        self.protocol.connection_made(self.line)

    async def send(self, *pieces: bytes) -> None:
        """Send bytes as they are cut; each may come when what was before it has been dealt with."""
        for piece in pieces:
            self.line.coming += piece
            await self.turn()

    async def turn(self) -> None:
        """Let happen what can: nobody is answered who is parked."""
        for _ in range(TURNS):
            if self.line.coming and not self.line.is_paused and not self.line.is_closed:
                data = bytes(self.line.coming)
                self.line.coming.clear()
                self.protocol.data_received(data)
            await asyncio.sleep(0)

    async def finish(self) -> list[Answer]:
        """Answer whoever is parked, one after the other, until nobody is and nothing more comes.
        Returns all answers."""
        before = -1
        while len(self.line.written) > before:
            before = len(self.line.written)
            await self.turn()
            if self.lane.parked:
                self.lane.answer()
                await self.turn()
        return answers(bytes(self.line.written))

    def hang_up(self) -> None:
        """The connection is gone, by either side."""
        self.line.is_closed = True
        self.protocol.connection_lost(None)


def answers(written: bytes) -> list[Answer]:
    """The answers that these bytes are, which end with the last of them."""
    found = []
    while written:
        head, end, rest = written.partition(b"\r\n\r\n")
        assert end == b"\r\n\r\n"
        assert head.startswith(b"HTTP/1.1 ")
        begin, *lines = head.lower().split(b"\r\n")
        fields = dict(line.split(b": ", 1) for line in lines)
        size = int(fields[b"content-length"]) if b" head " not in begin else 0
        body = rest[:size]
        assert len(body) == size
        written = rest[size:]
        closes = fields.get(b"connection") == b"close"
        found.append(Answer(int(begin.split()[1]), body, closes))
    return found


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """The bytes in pieces, cut at these places."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]
