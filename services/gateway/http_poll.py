"""The gateway's HTTP connections: uvicorn's, with polls taken out before they cost a task.

A poll becomes a `PolledRequest`, which stands where uvicorn has its cycle of request and response:
so what is pipelined waits in one queue, and answers go out in the order of their requests.
Everything else goes on to the app. Heads are bounded in bytes and time, for all requests.
"""

import asyncio
import re
from collections import deque
from typing import Any, ClassVar

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from libs.runtime import trace

from .http_answers import CLOSE, Shared, plain, whole
from .poll_lane import Asked, Caller, PollLane

# A token has 4 KiB at most, and browsers and proxies add about as much. What is longer is refused
# at the latest one piece later.
HEAD_BYTES_MAX = 16 << 10
# For a head, and for the first one to begin: seconds, on any line that is worth polling over.
HEAD_S = 10.0
# So much is parsed at once. What follows a request that waits for its turn is kept as it came, and
# nothing more is read: one read (256 KiB at most) makes no thousands of requests.
PIECE_BYTES = 4 << 10

# What is escaped could mean another path, and is left to the app. The absolute form is the same.
POLL = re.compile(
    rb"(?:(?i:https?)://[^/?#]+)?/v1/channels/([^/?#%\x00-\x20\x7f-\xff]+)/poll"
    rb"(?:\?([^#]*))?(?:#.*)?"
)
NOT_OF_POLLS = frozenset({b"expect", b"transfer-encoding"})
TRACE = trace.HEADER.encode()


class PolledRequest(Caller):
    """A poll of a connection, with what uvicorn wants to know of a cycle, by its names."""

    __slots__ = ("asked", "disconnected", "keep_alive", "line", "more_body", "response_complete")

    # Nobody waits for the body of a poll.
    message_event = asyncio.Event()
    response_started = False

    def __init__(self, line: "PollHTTP", asked: Asked, *, keep_alive: bool) -> None:
        super().__init__(line.lane)
        self.line = line
        # Until it begins.
        self.asked: Asked | None = asked
        self.keep_alive = keep_alive
        self.response_complete = False
        self.disconnected = False
        self.more_body = False

    def answer(self, body: bytes, *, closes: bool) -> None:
        """See `Caller`."""
        begin = self.line.server_state.default_headers
        if closes or not self.keep_alive:
            self.keep_alive = False
            self.line.finish(self, Shared.closing(body, begin))
        else:
            self.line.finish(self, self.line.shared.of(body, begin))

    def respond(self, response: Response) -> None:
        """See `Caller`."""
        headers = [*self.line.server_state.default_headers, *response.raw_headers]
        if not self.keep_alive:
            headers.append(CLOSE)
        self.line.finish(self, whole(response.status_code, headers, bytes(response.body)))


class PollHTTP(HttpToolsProtocol):
    """One connection. `lane` takes its polls."""

    # Beside the rest: with more names in it, its dict would not share them with the others'.
    __slots__ = (
        "_head_bytes",
        "_head_timer",
        "_is_in_head",
        "_is_over",
        "_is_stalled",
        "_kept",
        "_last_words",
        "_polled",
    )

    lane: ClassVar[PollLane]
    shared: ClassVar[Shared]
    # None before the first request, which uvicorn's own types leave out.
    cycle: Any
    scope: Any
    pipeline: Any
    head_s: ClassVar[float] = HEAD_S

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        # A queue that is never used is a tenth of what a parked connection takes.
        self.pipeline = ()
        # The poll that is under way, and whether it waits until its client takes what it got.
        self._polled: PolledRequest | None = None
        self._is_stalled = False
        self._is_in_head = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        # What came after a request that waits for its turn.
        self._kept = b""
        # Nothing more is read; what is to be said about that, once all before is answered.
        self._is_over = False
        self._last_words = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # After a reset it would be left to run, and all that it refers to would stay with it.
        self._unset_keepalive_if_required()
        self._end_head()
        self.pipeline = ()
        self._kept = b""
        if self._polled is not None:
            self.lane.gone(self._polled)
            self._polled = None

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
            if not self._goes_on(data[start : start + PIECE_BYTES]):
                return

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._end_head()
        # The answer before it may have been given a moment ago, from the same bytes.
        self._unset_keepalive_if_required()
        if self._is_busy:
            self.pipeline = self.pipeline or deque()
        asked = self._asked()
        if asked is None:
            super().on_headers_complete()
            return
        is_next = not self._is_busy
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        polled = PolledRequest(self, asked, keep_alive=keep_alive)
        self.cycle = polled
        if is_next:
            self._begin(polled)
            self._forget_request()
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((polled, self.app))

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._is_stalled and self._polled is not None:
            self._begin(self._polled)

    def finish(self, polled: PolledRequest, answer: bytes) -> None:
        """Write the one answer of a poll."""
        if polled.response_complete:
            return
        polled.response_complete = True
        self._polled = None
        self.transport.write(answer)
        if not polled.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        waits = bool(self.pipeline)
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._last_words and not waits:
            self._hang_up()
        elif self._kept and not self.pipeline:
            # Also when one of the queue has just begun: the rest of its body may be among it.
            self.loop.call_soon(self._read_kept)

    def send_400_response(self, msg: str) -> None:
        self._give_up(400, msg)

    def handle_websocket_upgrade(self) -> None:
        self._is_over = True
        super().handle_websocket_upgrade()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if isinstance(cycle, PolledRequest):
            # Later: as many as are pipelined would be answered one inside the other.
            self._polled = cycle
            self.loop.call_soon(self._begin, cycle)
        else:
            super()._start_asgi_task(cycle, app)

    def _asked(self) -> Asked | None:
        """The request whose head is complete, if it is a poll and nothing else."""
        if b"/poll" not in self.url or self.parser.get_method() != b"GET":
            return None
        found = POLL.fullmatch(self.url)
        if found is None or self.parser.should_upgrade():
            return None
        authorization = trace_id = None
        for name, value in self.headers:
            if name == b"authorization" and authorization is None:
                authorization = value.decode("latin-1")
            elif name == TRACE:
                trace_id = value.decode("latin-1")
            elif name in NOT_OF_POLLS or (name == b"content-length" and value.strip() != b"0"):
                return None
        return Asked(found[1].decode(), found[2] or b"", authorization, trace_id)

    def _begin(self, polled: PolledRequest) -> None:
        """Hand a poll to the lane, once its client takes what was written before."""
        if self.transport.is_closing():
            return
        self._polled = polled
        self._is_stalled = self.flow.write_paused
        if not self._is_stalled and polled.asked is not None:
            asked, polled.asked = polled.asked, None
            self.lane.take(polled, asked)

    def _forget_request(self) -> None:
        # While a poll is parked nobody looks at these, and they are most of what it takes.
        self.url = b""
        self.headers = []
        self.scope = None

    def _keep(self, data: bytes) -> None:
        self._kept += data
        self.flow.pause_reading()

    def _read_kept(self) -> None:
        kept, self._kept = self._kept, b""
        if not self.transport.is_closing():
            self.data_received(kept)

    def _goes_on(self, piece: bytes) -> bool:
        """Parse a piece. False when nothing more is to be read after it."""
        super().data_received(piece)
        self._head_bytes += len(piece)
        if self._is_over or self.transport.is_closing():
            return False
        if self._is_in_head and self._head_bytes > HEAD_BYTES_MAX:
            self._give_up(431, "Request head too large.")
            return False
        if not self._is_busy and self.timeout_keep_alive_task is None:
            self._begin_head()
        return True

    @property
    def _is_busy(self) -> bool:
        return bool(self.pipeline) or not (self.cycle is None or self.cycle.response_complete)

    def _begin_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_s, self._late)

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _late(self) -> None:
        self._head_timer = None
        if self._is_in_head:
            self._give_up(408, "Request head not complete in time.")
        else:
            self.transport.close()

    def _give_up(self, status: int, why: str) -> None:
        """Read nothing more, and say why in its turn: what came before is answered first."""
        self._is_over = True
        self._kept = b""
        self._last_words = plain(status, self.server_state.default_headers, why)
        has_no_end = self.cycle is not None and self.cycle.more_body
        if has_no_end and self.pipeline:
            # It is the one that cannot be read, and never began.
            self.pipeline.popleft()
        elif has_no_end or not self._is_busy:
            self._hang_up()

    def _hang_up(self) -> None:
        self._end_head()
        begun = self.cycle is not None and self.cycle.response_started
        if not begun or self.cycle.response_complete:
            self.transport.write(self._last_words)
        self.transport.close()


def poll_http(lane: PollLane) -> type[PollHTTP]:
    """The protocol whose polls the lane takes."""

    class Bound(PollHTTP):
        __slots__ = ()

    Bound.lane = lane
    Bound.shared = Shared()
    return Bound
