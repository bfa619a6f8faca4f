"""Polls, taken out of a connection before they cost a task.

A poll becomes a `PolledRequest`, which stands where uvicorn has its cycle of request and response:
so what is pipelined waits in one queue, and answers go out in the order of their requests.
Everything else goes on to the app.
"""

import asyncio
import re
from typing import Any, ClassVar

from starlette.responses import Response

from libs.runtime import trace

from .http_answers import CLOSE, Shared, whole
from .http_line import Line
from .poll_lane import Asked, Caller, PollLane

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


class PollHTTP(Line):
    """One connection. `lane` takes its polls."""

    __slots__ = ("_is_stalled", "_polled")

    lane: ClassVar[PollLane]
    shared: ClassVar[Shared]

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        # The poll that is under way, and whether it waits until its client takes what it got.
        self._polled: PolledRequest | None = None
        self._is_stalled = False

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._polled is not None:
            self.lane.gone(self._polled)
            self._polled = None

    def request(self) -> None:
        """See `Line`."""
        asked = self._asked()
        if asked is None:
            super().request()
            return
        is_next = not self.is_busy
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
        # Any upgrade but to a WebSocket is declined by a plain answer.
        if found is None or (self.parser.should_upgrade() and self._should_upgrade()):
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


def poll_http(lane: PollLane) -> type[PollHTTP]:
    """The protocol whose polls the lane takes."""

    class Bound(PollHTTP):
        __slots__ = ()

    Bound.lane = lane
    Bound.shared = Shared()
    return Bound
