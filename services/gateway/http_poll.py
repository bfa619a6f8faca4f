"""Polls, events and WebSockets, taken out of a connection before they cost a task.

A poll becomes a `PolledRequest` and a request for events an `EventsRequest`, which stand where
uvicorn has its cycle of request and response: so what is pipelined waits in one queue, and answers
go out in the order of their requests. A WebSocket gets the connection for itself. Everything else
goes on to the app.
"""

import re
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol

from libs.runtime import trace
from libs.runtime.logging import logger

from .http_answers import Shared
from .http_events import EventsAsked, EventsRequest
from .http_line import PIECE_BYTES, Line
from .http_polled import Idle, Later, PolledRequest, digest_of, targets
from .poll_lane import Asked, PollLane, Target
from .streams.talk import Desk
from .ws_handshake import Unfit, handshake_of
from .ws_line import LeanWS

# What is escaped could mean another path, and is left to the app. The absolute form is the same.
POLL = re.compile(
    rb"(?:(?i:https?)://[^/?#]+)?/v1/channels/([^/?#%\x00-\x20\x7f-\xff]+)/poll"
    rb"(?:\?([^#]*))?(?:#.*)?"
)
EVENTS = re.compile(rb"(?:(?i:https?)://[^/?#]+)?/v1/stream(?:\?([^#]*))?(?:#.*)?")
SOCKET = re.compile(rb"(?:(?i:https?)://[^/?#]+)?/v1/ws(?:[?#].*)?")
# Behind a proxy the next request may be anybody's.
FORWARDED = re.compile(rb"(?i)(?:^|\r\n)(?:(?:x-)?forwarded|via\b)")
NOT_OF_ANY = frozenset({b"expect", b"transfer-encoding"})
TRACE = trace.HEADER.encode()

BEGINS, POLLS = b"GET /v1/channels/", b"/poll?"
# How far from the beginning, behind any name that a channel has.
POLLS_WITHIN = 80
_log = logger("gateway.http")

HEAD_END = b"\r\n\r\n"


class Taken(Protocol):
    """A request that does not go to the app."""

    response_complete: bool

    def begin(self) -> None:
        """It is its turn."""

    def gone(self) -> None:
        """Its client went away."""

    def pause(self) -> None:
        """The transport has enough."""

    def go_on(self) -> None:
        """The transport has room again."""


class _Said(NamedTuple):
    """The headers that count."""

    authorization: str | None
    last_event_id: str
    trace_id: str | None


class PollHTTP(Line):
    """One connection. `lane` takes its polls, `desk` its streams."""

    __slots__ = ("_is_parsing", "_is_socket", "_is_stalled", "_taken")

    lane: ClassVar[PollLane]
    desk: ClassVar[Desk]
    shared: ClassVar[Shared]
    later: ClassVar[Later]
    idle: ClassVar[Idle]
    target: Callable[[bytes], Target | None]

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        # The request that is under way, and whether it waits until its client takes what it got.
        self._taken: Taken | None = None
        self._is_stalled = False
        # The request whose head came last asks for a WebSocket of ours.
        self._is_socket = False
        self._is_parsing = False

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.idle.discard(self)
        if self._taken is not None:
            self._taken.gone()
            self._taken = None

    def data_received(self, data: bytes) -> None:
        last = self.cycle
        is_between = last is None or last.response_complete
        self.idle.discard(self)
        if is_between and type(last) is PolledRequest and self._is_late(last, data):
            return
        if is_between and type(last) is PolledRequest and self._is_again(last, data):
            return
        is_between = is_between and not (self._is_in_head or self._kept)
        self._is_parsing = True
        super().data_received(data)
        self._is_parsing = False
        polled = self.cycle
        if is_between and polled is not last and type(polled) is PolledRequest:
            self._learn(polled, data, is_first=last is None)

    def request(self) -> None:
        """See `Line`."""
        self._is_socket = (
            self.parser.should_upgrade()
            and self._get_upgrade() == b"websocket"
            and SOCKET.fullmatch(self.url) is not None
        )
        if self._is_socket:
            # The parser says so next.
            return
        taken = self._take()
        if taken is None:
            super().request()
            return
        is_next = not self.is_busy
        self.cycle = taken
        if is_next:
            self._begin(taken)
            self._forget_request()
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((taken, self.app))

    def upgrade(self, rest: bytes) -> None:
        """See `Line`."""
        begin = self.server_state.default_headers
        try:
            handshake = handshake_of(self.parser.get_method(), self.headers)
        except Unfit as unfit:
            self.transport.write(unfit.answer(begin))
            self.transport.close()
            return
        socket = LeanWS(self.transport, self.server_state, self.desk)
        self.let_go()
        self.transport.set_protocol(socket)
        socket.open(handshake, self.address, rest)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._taken is not None:
            self._taken.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._taken is None:
            return
        if self._is_stalled:
            self._begin(self._taken)
        else:
            self._taken.go_on()

    def finish(self, polled: PolledRequest, answer: bytes) -> None:
        """Write the one answer of a poll."""
        self.transport.write(answer)
        if self._is_parsing or self.has_more or not polled.keep_alive:
            # What has come already must not be answered within this call, nor what is over go on.
            self.later.add(polled)
            return
        self.told(polled)
        self.rest(polled)

    def told(self, polled: PolledRequest) -> None:
        """A poll is answered, and nothing waits for that."""
        polled.response_complete = True
        self._taken = None
        self.server_state.total_requests += 1

    def rest(self, polled: PolledRequest) -> None:
        """Nobody may say anything more after this poll, which was answered."""
        is_last = self.cycle is polled and polled.response_complete and not self._kept
        if is_last and not self.transport.is_closing():
            self.flow.resume_reading()
            self.idle.add(self)

    def over(self, taken: PolledRequest | EventsRequest) -> None:
        """All is written."""
        taken.response_complete = True
        self._taken = None
        if not taken.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _is_late(self, last: PolledRequest, data: bytes) -> bool:
        """Keep a poll of one who was told as one of very many until the others are told too."""
        if not last.was_woken or self._kept or POLLS not in data[:POLLS_WITHIN]:
            return False
        last.was_woken = False
        if not (self.lane.lot.waker.is_busy and data.startswith(BEGINS)):
            return False
        self._kept = data
        self.lane.lot.waker.afterwards(self._come_late)
        return True

    def _come_late(self) -> None:
        try:
            self._read_kept()
        except Exception:
            # That connection is lost, and all others go on.
            _log.exception("a connection could not go on")
            self.transport.abort()

    def _is_again(self, last: PolledRequest, data: bytes) -> bool:
        """Take the same poll from the same person as the one before, but for its cursor. False when
        it is anything else."""
        is_open = not (self._is_in_head or self._kept or self._is_over or self.flow.write_paused)
        if not (last.digest and is_open and last.checked is not None):
            return False
        line, _, rest = data.partition(b"\r\n")
        target = self.target(line)
        if target is None or digest_of(rest) != last.digest or self.transport.is_closing():
            return False
        polled = PolledRequest(self, None, keep_alive=True)
        polled.digest = last.digest
        polled.is_steady = last.is_steady
        self.cycle = self._taken = polled
        if self.lane.take_again(polled, last.checked, target):
            self._unset_keepalive_if_required()
            self._end_timer()
            return True
        self.cycle, self._taken = last, None
        return False

    def _learn(self, polled: PolledRequest, data: bytes, *, is_first: bool) -> None:
        """Remember a poll that came by itself, in one piece."""
        is_alone = data.find(HEAD_END) == len(data) - len(HEAD_END)
        is_whole = not (self._is_in_head or self._is_over or self.pipeline)
        if not (is_alone and is_whole and polled.keep_alive and len(data) <= PIECE_BYTES):
            return
        line, _, rest = data.partition(b"\r\n")
        # One that brings a name for itself is told by that name.
        if polled.trace_id is None and self.target(line) is not None:
            polled.digest = digest_of(rest)
            polled.is_steady = is_first and FORWARDED.search(rest) is None

    def _should_upgrade(self) -> bool:
        return self._is_socket

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if isinstance(cycle, PolledRequest | EventsRequest):
            # Later: as many as are pipelined would be answered one inside the other.
            self._taken = cycle
            self.loop.call_soon(self._begin, cycle)
        else:
            super()._start_asgi_task(cycle, app)

    def _take(self) -> PolledRequest | EventsRequest | None:
        """The request whose head is complete, if it is one that we take and nothing else."""
        is_poll = b"/poll" in self.url
        if not (is_poll or b"/v1/stream" in self.url) or self.parser.get_method() != b"GET":
            return None
        found = (POLL if is_poll else EVENTS).fullmatch(self.url)
        said = None if found is None else self._said()
        if found is None or said is None:
            return None
        version = self.parser.get_http_version()
        if not is_poll:
            wish = EventsAsked(found[1] or b"", *said)
            return EventsRequest(self, wish, is_chunked=version != "1.0")
        asked = Asked(found[1].decode(), found[2] or b"", said.authorization, said.trace_id)
        keep_alive = version != "1.0" and self.parser.should_keep_alive()
        return PolledRequest(self, asked, keep_alive=keep_alive)

    def _said(self) -> _Said | None:
        """None when something more is wanted of us."""
        authorization = trace_id = None
        last_event_id = ""
        for name, value in self.headers:
            if name == b"authorization" and authorization is None:
                authorization = value.decode("latin-1")
            elif name == TRACE:
                trace_id = value.decode("latin-1")
            elif name == b"last-event-id":
                last_event_id = value.decode("latin-1")
            elif name in NOT_OF_ANY or (name == b"content-length" and value.strip() != b"0"):
                return None
        return _Said(authorization, last_event_id, trace_id)

    def _begin(self, taken: Taken) -> None:
        """Begin a request, once its client takes what was written before."""
        if self.transport.is_closing():
            return
        self._taken = taken
        self._is_stalled = self.flow.write_paused
        if not self._is_stalled:
            taken.begin()

    def _forget_request(self) -> None:
        # While a request is parked nobody looks at these, and they are most of what it takes.
        self.url = b""
        self.headers = []
        self.scope = None


def poll_http(lane: PollLane, desk: Desk) -> type[PollHTTP]:
    """The protocol whose polls the lane takes, and whose streams the desk."""

    class Bound(PollHTTP):
        __slots__ = ()

    Bound.lane = lane
    Bound.desk = desk
    Bound.shared = Shared()
    Bound.later = Later()
    Bound.idle = Idle()
    Bound.target = staticmethod(targets(lane))
    return Bound
