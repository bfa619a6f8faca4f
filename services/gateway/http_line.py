"""A connection of uvicorn's, with the bounds that it leaves open and answers in their order.

A head is bounded in bytes and time, a body in time and in what comes beside its bytes. What follows
a request that waits for its turn is kept as it came. What cannot be read is refused after all that
came before it.
"""

import asyncio
from collections import deque
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from .http_answers import plain

# A token has 4 KiB at most, and browsers and proxies add about as much. What is longer is refused
# at the latest one piece later.
HEAD_BYTES_MAX = 16 << 10
# For a head, and for the first one to begin: seconds, on any line that is worth polling over.
HEAD_S = 10.0
# For a body, while it is read: the largest one (64 KiB) over a line of 20 kbit/s.
BODY_S = 30.0
# So much is parsed at once, so that one read (256 KiB at most) makes no thousands of requests: as
# soon as one has to wait, the rest is not parsed and nothing more is read.
PIECE_BYTES = 4 << 10
NOWHERE = "-"


class Line(HttpToolsProtocol):
    """One connection."""

    # Beside the rest: with more names in it, its dict would not share them with the others'.
    __slots__ = (
        "_head_bytes",
        "_is_in_head",
        "_is_over",
        "_kept",
        "_last_words",
        "_running",
        "_timer",
    )

    head_s: ClassVar[float] = HEAD_S
    body_s: ClassVar[float] = BODY_S
    # None before the first request, which uvicorn's own types leave out.
    cycle: Any
    scope: Any
    pipeline: Any

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        # A queue that is never used is a tenth of what a parked connection takes.
        self.pipeline = ()
        self._is_in_head = False
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._kept = b""
        # Which request the app has; `cycle` is the one that came last.
        self._running: Any = None
        # Nothing more is read; what is to be said about that, once all before is answered.
        self._is_over = False
        self._last_words = b""

    @property
    def is_busy(self) -> bool:
        """A request is under way that is not answered yet."""
        return bool(self.pipeline) or not (self.cycle is None or self.cycle.response_complete)

    @property
    def address(self) -> str:
        """The address that the connection comes from."""
        client = get_remote_addr(self.transport)
        return NOWHERE if client is None else client[0]

    @property
    def has_more(self) -> bool:
        """Something waits for the answer that is under way."""
        return bool(self.pipeline or self._kept or self._is_over)

    def request(self) -> None:
        """A head is complete: answer its request, or put it into the queue when another one is
        under way."""
        self.scope["server"] = get_local_addr(self.transport)
        self.scope["client"] = get_remote_addr(self.transport)
        super().on_headers_complete()
        # Trailers are no headers: they would come into the list that the request has.
        self.headers = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # What uvicorn does here but for the addresses: they are asked for when somebody wants them,
        # and a parked connection does not keep them.
        self.connections.add(self)
        self.transport = transport
        self.flow = FlowControl(transport)
        self.scheme = "https" if is_ssl(transport) else "http"
        self._begin_timer(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._running is not None:
            self._leave(self._running)
            self._running = None
        # After a reset it would be left to run, and all that it refers to would stay with it.
        self._unset_keepalive_if_required()
        self._end_timer()
        self.pipeline = ()
        self._kept = b""
        # It refers to us: very many who go would be left to the garbage collector, which stops the
        # process for as long as they are many.
        self.cycle = None

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        if self.pipeline or self._kept:
            self._keep(data)
            return
        for start in range(0, len(data), PIECE_BYTES):
            if self.pipeline:
                self._keep(data[start:])
                return
            if not self._goes_on(data, start):
                return

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._end_timer()
        # The answer before it may have been given a moment ago, from the same bytes.
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            # That answer was the last one.
            return
        if self.parser.should_upgrade() and any(map(_says_body, self.headers)):
            # The parser skips its body, and would read the next request there.
            raise httptools.HttpParserError("an upgrade with a body")
        if self.is_busy:
            self.pipeline = self.pipeline or deque()
        self.request()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._head_bytes = 0

    def on_response_complete(self) -> None:
        waits = bool(self.pipeline)
        # What is still to come of its body is not waited for.
        self._end_timer()
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._last_words and not waits:
            self._hang_up()
        elif self._kept and not self.pipeline:
            # Also when one of the queue has just begun: the rest of its body may be among it.
            self.loop.call_soon(self._read_kept)
        if self._kept or self.pipeline:
            # With every answer it is read on, and what is kept would grow by what comes.
            self.flow.pause_reading()

    def upgrade(self, rest: bytes) -> None:
        """The request whose head is complete asks for a WebSocket; `rest` came after it."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Somebody else has the transport from now on."""
        self._is_over = True
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        self._end_timer()
        # It refers to us.
        self.parser = None  # type: ignore[assignment]

    def _keep(self, data: bytes) -> None:
        self._kept += data
        self.flow.pause_reading()

    def _read_kept(self) -> None:
        kept, self._kept = self._kept, b""
        if kept and not self.transport.is_closing():
            self.flow.resume_reading()
            self.data_received(kept)

    def _goes_on(self, data: bytes, start: int) -> bool:
        """Parse a piece. False when nothing more is to be read after it."""
        end = min(start + PIECE_BYTES, len(data))
        self._unset_keepalive_if_required()
        self._parse(data, start, end)
        self._head_bytes += end - start
        if self._is_over or self.transport.is_closing():
            return False
        has_more = self.cycle is not None and self.cycle.more_body
        if (self._is_in_head or has_more) and self._head_bytes > HEAD_BYTES_MAX:
            # Or of a body that goes on: chunks that say much and bring nothing, or trailers.
            self._give_up(431, "Request head too large.")
            return False
        if not self.is_busy:
            if self.timeout_keep_alive_task is None:
                self._begin_timer(self.head_s)
        elif has_more:
            self._begin_timer(self.body_s)
        else:
            self._end_timer()
        return True

    def _parse(self, data: bytes, start: int, end: int) -> None:
        try:
            self.parser.feed_data(data[start:end])
        except httptools.HttpParserUpgrade as upgrade:
            start += upgrade.args[0]
            if self._should_upgrade():
                self._upgrade(data[start:])
            elif start < end:
                # What is offered is declined by the answer, and the connection goes on.
                self._parse(data, start, end)
        except httptools.HttpParserError:
            self._give_up(400, "Invalid HTTP request received.")

    def _upgrade(self, rest: bytes) -> None:
        if self.is_busy:
            # Its answer would go out amid frames.
            self._give_up(400, "An upgrade has to wait for the answers before it.")
        else:
            self.upgrade(rest)

    def _begin_timer(self, within_s: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(within_s, self._late)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.is_busy and self.flow.read_paused:
            # The rest of a body waits for us.
            self._begin_timer(self.body_s)
        elif self.is_busy or self._is_in_head:
            self._give_up(408, "Request not complete in time.")
        else:
            self.transport.close()

    def _give_up(self, status: int, why: str) -> None:
        """Read nothing more, and say why in its turn: what came before is answered first."""
        self._is_over = True
        self._kept = b""
        if self.transport.is_closing():
            # The answer to what came before was the last one.
            return
        self._last_words = plain(status, self.server_state.default_headers, why)
        has_no_end = self.cycle is not None and self.cycle.more_body
        if has_no_end and self.pipeline:
            # It is the one that cannot be read, and never began.
            self.pipeline.popleft()
        elif has_no_end or not self.is_busy:
            self._hang_up()

    def _hang_up(self) -> None:
        self._end_timer()
        begun = self.cycle is not None and self.cycle.response_started
        if not begun or self.cycle.response_complete:
            self.transport.write(self._last_words)
        self.transport.close()
        if self.cycle is not None:
            # What an app would still say would follow them, where the client has more to read.
            self._leave(self.cycle)

    @staticmethod
    def _leave(cycle: Any) -> None:
        """Tell the app that its client is gone."""
        cycle.disconnected = True
        cycle.message_event.set()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)


def _says_body(header: tuple[bytes, bytes]) -> bool:
    name, value = header
    return name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
