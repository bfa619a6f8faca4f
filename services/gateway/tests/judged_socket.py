"""A WebSocket at a whole gateway that is sent anything, and what holds whatever it is.

No exception leaves the protocol, its callbacks or its tasks. What it writes are frames, and nothing
follows its close. What is held of a message is bounded. When the client is gone nothing is left.
And frames mean the same wherever their bytes are cut.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from libs.runtime.listener import FRAGMENTS_MAX, MESSAGE_BYTES_MAX
from libs.testing.eventually import eventually
from services.gateway.tests.edge import CHANNEL, STEP_S, WITHIN_S, Edge, edge
from services.gateway.tests.judged_line import READ_BYTES, Wire
from services.gateway.tests.rawsocket import CLOSE, PONG, TEXT, request
from services.gateway.tests.returning import Left, left_by
from services.gateway.tests.scripts import TIMES, Act, Step, steps
from services.gateway.tests.socket_seeds import SILENT, said
from services.gateway.ws_frames import Broken, Incoming, Message
from services.gateway.ws_line import LeanWS

# More than any script takes: the clock stands still, so none of it comes back.
UNLIMITED = 1_000_000
RATES: dict[str, Any] = {
    f"{name}_burst": UNLIMITED for name in ("connects", "polls", "posts", "posts_member", "pages")
}
# Well before it expires.
TOKEN_S = 300.0
# The head of the largest frame.
HEAD_BYTES = 14


class Ground:
    """One gateway, at which one connection after the other lives."""

    def __init__(self) -> None:
        self._is_over = asyncio.Event()
        self._is_ready = asyncio.Event()
        self._holder: asyncio.Task[None] | None = None
        self._faults: list[dict[str, Any]] = []
        self._token = ""
        self._greets_until_s = 0.0
        self._before: Left | None = None
        self._config: Any = None
        self._state = ServerState()
        self.it: Any = None

    async def open(self) -> None:
        """Start the gateway."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._faults.append(context))
        # In a task of its own: the tasks of the gateway are children of who opens it.
        self._holder = asyncio.create_task(self._hold())
        await self._is_ready.wait()

    async def close(self) -> None:
        """Stop it."""
        self._is_over.set()
        if self._holder is not None:
            await self._holder

    async def live(self, script: bytes) -> None:
        """One connection that was accepted, and greeted unless the script begins with `SILENT`.
        Raises `AssertionError` for whatever must not be."""
        judge_frames(script)
        wire = Wire()
        it: Edge = self.it
        http: Any = it.running.http
        line = http(self._config, self._state, {}, asyncio.get_running_loop())
        wire.protocol = line
        line.connection_made(wire)
        hello = said({"type": "hello", "token": self._token})
        wire.coming += request() + (b"" if script.startswith(SILENT) else hello)
        await wire.turns()
        assert isinstance(wire.protocol, LeanWS)
        try:
            await self._live(wire, script.removeprefix(SILENT))
        finally:
            wire.lose()
        judge_written(bytes(wire.written))
        assert not wire.too_late, "written after the end"
        await eventually(self._is_clear, within_s=WITHIN_S, every_s=0.0, what="nothing is left")
        await self._remember()
        assert not self._faults, self._faults

    async def _live(self, wire: Wire, script: bytes) -> None:
        for step in steps(script):
            wire.coming += step.piece * (TIMES if step.act is Act.FLOOD else 1)
            await wire.turns()
            await self._act(wire, step)
            await wire.turns()
            judge_held(wire.protocol)
            if wire.is_closed:
                break
        if not wire.is_closed and wire.is_full:
            wire.is_full = False
            wire.protocol.resume_writing()
        await wire.turns()

    async def _act(self, wire: Wire, step: Step) -> None:
        if wire.is_closed:
            return
        socket = wire.protocol
        match step.act:
            case Act.ANSWER:
                await self.it.relay.append(CHANNEL)
            case Act.STOP if not wire.is_full:
                wire.is_full = True
                socket.pause_writing()
            case Act.TAKE if wire.is_full:
                wire.is_full = False
                socket.resume_writing()
            case Act.LATE if socket._timer is not None:
                timer = socket._timer
                timer._run()
                timer.cancel()
            case Act.SHUT:
                socket.eof_received()
                wire.is_shut = True
                wire.close()
            case _:
                pass

    def _is_clear(self) -> bool:
        assert self._holder is not None
        assert not self._holder.done(), "the gateway has ended"
        if left_by(self.it)._replace(descriptors=0) == self._before:
            return True
        # Some wait for a moment that has to pass.
        self.it.clock.advance(STEP_S)
        return False

    async def _hold(self) -> None:
        async with edge(connections_user_max=UNLIMITED, **RATES) as it:
            self.it = it
            app = it.running.app
            self._config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
            it.channel(head=10)
            await self._remember()
            self._before = left_by(it)._replace(descriptors=0)
            self._is_ready.set()
            await self._is_over.wait()

    async def _remember(self) -> None:
        """So that who greets is let in within the call, and what it follows is there."""
        now_s = self.it.clock.monotonic()
        if self._token and now_s < self._greets_until_s:
            return
        self._token, self._greets_until_s = self.it.session.token("ann"), now_s + TOKEN_S
        headers = {"authorization": f"Bearer {self._token}"}
        path = f"/v1/channels/{CHANNEL}/poll"
        assert (await self.it.client.get(path, headers=headers)).status_code == 200


@contextmanager
def one_ground() -> Iterator[Callable[[bytes], None]]:
    """What lives through scripts, one after the other, at one gateway."""
    with asyncio.Runner() as runner:

        async def made() -> Ground:
            ground = Ground()
            await ground.open()
            return ground

        ground = runner.run(made())
        yield lambda script: runner.run(ground.live(script))
        runner.run(ground.close())


def judge_held(socket: Any) -> None:
    """Of a message that came in part."""
    if isinstance(socket, LeanWS):
        judge_incoming(socket._incoming)


def judge_incoming(incoming: Incoming) -> None:
    """It keeps no more than the message that may be, and the read that brought the rest."""
    parts = incoming._parts or ()
    assert len(parts) <= FRAGMENTS_MAX
    assert incoming._size == sum(map(len, parts))
    assert incoming._size <= MESSAGE_BYTES_MAX
    assert len(incoming._data) <= MESSAGE_BYTES_MAX + HEAD_BYTES + READ_BYTES


def judge_written(written: bytes) -> None:
    """An answer that accepts, then frames, of which a close is the last."""
    head, end, rest = written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    assert end
    opcode = 0
    while rest:
        assert opcode != CLOSE, "something follows the close"
        first, size, at = rest[0], rest[1], 2
        assert size < 128, "a server masks nothing"
        if size >= 126:
            at += 2 if size == 126 else 8
            size = int.from_bytes(rest[2:at], "big")
        payload, rest = rest[at : at + size], rest[at + size :]
        assert len(payload) == size, "half a frame"
        opcode = judge_frame(first, payload)


def judge_frame(first: int, payload: bytes) -> int:
    """Returns its opcode."""
    opcode = first & 0x0F
    assert first & 0xF0 == 0x80, "frames are whole, and reserve nothing"
    assert opcode in {TEXT, CLOSE, PONG}
    assert opcode == TEXT or len(payload) <= 125
    if opcode == TEXT:
        assert json.loads(payload).get("code") != "internal", payload
    return opcode


def judge_frames(script: bytes) -> None:
    """The same messages and the same end, in steps, at once and byte by byte."""
    pieces = [step.piece for step in steps(script.removeprefix(SILENT))]
    whole = b"".join(pieces)
    wanted = heard(whole)
    assert heard(*pieces) == wanted
    assert heard(*(whole[at : at + 1] for at in range(len(whole)))) == wanted


def heard(*pieces: bytes) -> tuple[list[Message], int | None]:
    """What these bytes say, and the code with which they break the protocol."""
    incoming = Incoming()
    found: list[Message] = []
    for piece in pieces:
        incoming.add(piece)
        try:
            while (message := incoming.next()) is not None:
                found.append(message)
        except Broken as broken:
            return found, broken.code
        judge_incoming(incoming)
    return found, None
