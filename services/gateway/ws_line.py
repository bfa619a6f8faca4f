"""A WebSocket: one protocol object from its handshake to its end, with no task of its own.

    opening ──101──> greeting ──hello──> talking ──it has to end──> leaving ──all is written──┐
       │                 │                  │                          │ the client is too slow │
       └── refused       └──── no hello, or what is no protocol ───────┼──────> closing <──────┘
              └──────────────────────> ended <─────────────────────────┘           │
                                         └── the client's close, or none in time ──┘

What is said is heard within the call that brings it, and what is told goes to the transport within
the call that tells it. Only who has to be asked about costs a task, once; meanwhile nothing is
heard.
"""

import asyncio
from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any

from uvicorn.server import ServerState

from libs.runtime.web import as_problem
from libs.wire.streams import Hello, error_of

from .answers import Form, framed
from .http_answers import refused
from .seats import Seat
from .streams.closing import DRAINED, GONE, GOODBYE_S, NO_HELLO, Closing, closing_of
from .streams.stream import Stream
from .streams.talk import Desk, Talk, found, hello_of, known, opened
from .tokens import Checked, bearer
from .ws_frames import (
    GOES_AWAY,
    POLICY,
    Broken,
    Framing,
    Incoming,
    Kind,
    Message,
    close_code,
    closing,
    frame,
    text_of,
)
from .ws_handshake import FORMS, PATH, Handshake

# A client that does not say who it is is not waited for.
HELLO_S = 10.0
# For the client's side of a close.
CLOSE_S = 5.0
# So many messages are heard at once, then others have their turn.
TURN = 64
# Control frames of a client in a second; keep-alives are one in many seconds.
CONTROLS_MAX = 1_000
# Who does not take what was written gets no answers more: nobody counts those.
PONG_BYTES_MAX = 32 << 10
TEXTS, BINARIES = Framing(Kind.TEXT), Framing(Kind.BINARY)


class Stage(Enum):
    """See the picture above."""

    OPENING = "opening"
    GREETING = "greeting"
    TALKING = "talking"
    LEAVING = "leaving"
    CLOSING = "closing"
    ENDED = "ended"


class LeanWS(asyncio.Protocol):
    """One connection whose client asked for a WebSocket."""

    __slots__ = (
        "_controls",
        "_controls_s",
        "_desk",
        "_form",
        "_header",
        "_incoming",
        "_is_held",
        "_seat",
        "_stage",
        "_state",
        "_talk",
        "_timer",
        "_transport",
    )

    def __init__(self, transport: asyncio.Transport, state: ServerState, desk: Desk) -> None:
        self._transport = transport
        self._state = state
        self._desk = desk
        self._incoming = Incoming()
        self._stage = Stage.OPENING
        self._form = Form.JSON
        # Whose the `Authorization` of the handshake is.
        self._header: Checked | None = None
        self._seat: Seat | None = None
        self._talk: Talk | None = None
        # Of the stage that may not last.
        self._timer: asyncio.TimerHandle | None = None
        # What comes is not heard now.
        self._is_held = False
        self._controls = 0
        self._controls_s = 0
        state.connections.add(self)  # type: ignore[arg-type]

    # From the handshake to the hello

    def open(self, handshake: Handshake, address: str, rest: bytes) -> None:
        """Answer the handshake; `rest` came in one piece with it."""
        self._incoming.add(rest)
        try:
            protocol = handshake.protocol()
            self._desk.must_stay()
            self._desk.about.limits.admit("websocket")
            token = None if handshake.authorization is None else bearer(handshake.authorization)
            if token is not None:
                self._header = self._desk.tokens.remembered(token)
                if self._header is None:
                    self._hold(self._asked(handshake, protocol, address, token))
                    return
            self._accept(handshake, protocol, address)
        except Exception as fault:
            self._deny(handshake, fault)
        else:
            self._hear()

    async def _asked(self, handshake: Handshake, protocol: str, address: str, token: str) -> None:
        try:
            self._header = await self._desk.tokens.checked(token)
            self._accept(handshake, protocol, address)
        except Exception as fault:
            self._deny(handshake, fault)

    def _accept(self, handshake: Handshake, protocol: str, address: str) -> None:
        if self._stage is not Stage.OPENING:
            return
        self._seat = self._desk.about.limits.connect(address)
        self._form = FORMS[protocol]
        self._transport.write(handshake.accepted(protocol, self._state.default_headers))
        self._go(Stage.GREETING, HELLO_S, self._late)

    def _deny(self, handshake: Handshake, fault: Exception) -> None:
        if self._stage is not Stage.OPENING:
            return
        begin = self._state.default_headers
        self._transport.write(refused(fault, begin, path=PATH, trace_id=handshake.trace_id))
        self._finish()

    def _late(self) -> None:
        self._close(NO_HELLO)

    def _greet(self, raw: str | bytes) -> None:
        try:
            hello = hello_of(raw)
            checked = known(self._desk, hello, self._header)
            if checked is None:
                self._hold(self._found(hello))
            else:
                self._enter(checked)
        except Exception as fault:
            self._refuse(fault)

    async def _found(self, hello: Hello) -> None:
        try:
            self._enter(await found(self._desk, hello, self._header))
        except Exception as fault:
            self._refuse(fault)

    def _enter(self, checked: Checked) -> None:
        if self._stage is not Stage.GREETING or self._seat is None:
            return
        self._seat.take(checked.person.user)
        stream = Stream(checked.person, self._form, self._desk.about, self)
        self._talk = opened(self._desk, stream, checked)
        self._header = None
        self._go(Stage.TALKING)
        self._talk.welcome()

    def _refuse(self, fault: Exception) -> None:
        """Who said hello does not get in."""
        if self._stage is Stage.GREETING:
            problem = as_problem(fault, path=PATH, method="GET")
            self.carry(framed(self._form, error_of(problem)))
            self._close(closing_of(problem))

    # What a stream and its outbox are to it

    def carry(self, body: bytes) -> None:
        """See `Carrier`."""
        framing = TEXTS if self._form is Form.JSON else BINARIES
        self._transport.write(framing.of(body))

    def carrying(self) -> int:
        """See `Carrier`."""
        return self._transport.get_write_buffer_size()

    def end(self) -> None:
        """See `Connection`."""
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        """The stream ends; what is queued is still given to who takes it, before the close."""
        stream = self._leave()
        if self._stage is not Stage.TALKING or stream is None or stream.closing is None:
            return
        if stream.outbox.is_full:
            self._go(Stage.LEAVING, GOODBYE_S, self._transport.abort)
        else:
            self._close(stream.closing)

    def _leave(self) -> Stream | None:
        """Give back what the connection has here; again is nothing. Returns its stream."""
        if self._seat is not None:
            self._seat.leave()
        if self._talk is None:
            return None
        self._desk.registry.leave(self._talk.stream)
        return self._talk.stream

    # What the server and the transport say

    def data_received(self, data: bytes) -> None:
        if self._stage is not Stage.ENDED:
            self._incoming.add(data)
            self._hear()

    def pause_writing(self) -> None:
        # Before there is a talk so little is written that it does not come to this.
        if self._talk is not None:
            self._talk.stream.outbox.fill()

    def resume_writing(self) -> None:
        if self._talk is None or self._stage not in {Stage.TALKING, Stage.LEAVING}:
            # What waited is not written after our last word.
            return
        stream = self._talk.stream
        stream.outbox.go_on()
        is_last = self._stage is Stage.LEAVING and not stream.outbox.is_full
        if is_last and stream.closing is not None:
            self._close(stream.closing)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._state.connections.discard(self)
        self._go(Stage.ENDED)
        if self._talk is not None:
            self._talk.stream.close(GONE)
        self._leave()
        # It refers to us.
        self._talk = None

    def shutdown(self) -> None:
        """The server stops."""
        if self._talk is not None:
            self._talk.stream.close(DRAINED)
        else:
            self._close(Closing(GOES_AWAY, "the gateway stops"))

    # What the client says

    def _hear(self) -> None:
        """Hear what has come, in turns with others."""
        try:
            for _ in range(TURN):
                # What comes after the end is not looked at: it could break the protocol.
                is_deaf = self._is_held or self._stage is Stage.ENDED
                message = None if is_deaf else self._incoming.next()
                if message is None:
                    return
                self._take(message)
        except Broken as broken:
            self._fail(broken)
            return
        if not (self._is_held or self._transport.is_closing()):
            self._hold(asyncio.sleep(0))

    def _hold(self, work: Coroutine[Any, Any, None]) -> None:
        """Hear nothing until this is done."""
        self._is_held = True
        self._transport.pause_reading()
        self._desk.about.tasks.spawn(self._held(work), name="gateway.socket")

    async def _held(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as fault:
            self._fault(fault)
        self._is_held = False
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._hear()

    def _take(self, message: Message) -> None:
        match message.kind:
            case Kind.CLOSE:
                self._closed(message.payload)
            case Kind.PING | Kind.PONG:
                self._control(message)
            case Kind.TEXT:
                self._said(text_of(message.payload))
            case _:
                self._said(message.payload)

    def _said(self, raw: str | bytes) -> None:
        if self._stage is Stage.GREETING:
            self._greet(raw)
        elif self._stage is Stage.TALKING and self._talk is not None:
            try:
                work = self._talk.hear(raw)
            except Exception as fault:
                self._fault(fault)
                return
            if work is not None:
                self._hold(work)

    def _fault(self, fault: Exception) -> None:
        if self._talk is not None:
            self._talk.stream.end(as_problem(fault, path=PATH, method="GET"))

    def _control(self, message: Message) -> None:
        second = int(asyncio.get_running_loop().time())
        self._controls = self._controls + 1 if second == self._controls_s else 1
        self._controls_s = second
        if self._controls > CONTROLS_MAX:
            raise Broken(POLICY, f"at most {CONTROLS_MAX} control frames a second")
        is_asked = message.kind is Kind.PING and self._stage in {Stage.GREETING, Stage.TALKING}
        if is_asked and self.carrying() <= PONG_BYTES_MAX:
            self._transport.write(frame(Kind.PONG, message.payload))

    # The end

    def _closed(self, payload: bytes) -> None:
        """The client closes, or answers our close."""
        code = close_code(payload)
        if self._stage is not Stage.CLOSING:
            self._transport.write(closing(code))
        if self._talk is not None:
            self._talk.stream.close(GONE)
        self._finish()

    def _close(self, why: Closing) -> None:
        """Say why; the client's answer ends the connection."""
        if self._stage in {Stage.OPENING, Stage.CLOSING, Stage.ENDED}:
            self._finish()
            return
        self._transport.write(closing(why.code, why.reason))
        self._go(Stage.CLOSING, CLOSE_S, self._transport.abort)

    def _fail(self, broken: Broken) -> None:
        """What the client sends is not understood any more: it is told why, and what still comes
        is not looked at until it has heard of it."""
        if self._stage is Stage.CLOSING:
            self._finish()
            return
        self._transport.write(closing(broken.code, broken.reason))
        self._transport.write_eof()
        self._go(Stage.ENDED, CLOSE_S, self._transport.abort)
        if self._talk is not None:
            self._talk.stream.close(GONE)
        self._leave()

    def _finish(self) -> None:
        self._go(Stage.ENDED)
        self._transport.close()

    def _go(
        self, stage: Stage, within_s: float = 0.0, late: Callable[[], None] | None = None
    ) -> None:
        """Begin a stage; who is still in it after `within_s` seconds is `late`."""
        self._stage = stage
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if late is not None:
            self._timer = asyncio.get_running_loop().call_later(within_s, late)
