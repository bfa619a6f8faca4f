"""`GET /v1/stream`, taken out of a connection: a stream as server-sent events, with no task of its
own."""

import asyncio
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from .http_answers import CLOSE, refused, whole
from .seats import Seat
from .streams.closing import GONE, GOODBYE_S
from .streams.events import CHANNELS_MAX, EventStream, channels_of, places_of
from .streams.talk import Desk, opened
from .tokens import Checked, bearer

if TYPE_CHECKING:
    from .http_poll import PollHTTP

PATH = "/v1/stream"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    # Each event is of this moment and of this client; proxies must not gather them.
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    CLOSE,
]
CHUNKED = (b"transfer-encoding", b"chunked")
LAST_CHUNK = b"0\r\n\r\n"


class EventsAsked(NamedTuple):
    """A request for events as it came: the raw query, and of its headers those that count."""

    query: bytes
    authorization: str | None
    last_event_id: str
    trace_id: str | None


class EventsRequest:
    """One request for events, with what uvicorn wants to know of a cycle, by its names. Its
    connection ends with it."""

    __slots__ = (
        "_asked",
        "_is_chunked",
        "_line",
        "_seat",
        "_stream",
        "_timer",
        "disconnected",
        "keep_alive",
        "more_body",
        "response_complete",
        "response_started",
    )

    # Nobody waits for the body of such a request.
    message_event = asyncio.Event()

    def __init__(self, line: "PollHTTP", asked: EventsAsked, *, is_chunked: bool) -> None:
        self._line = line
        self._asked = asked
        self._is_chunked = is_chunked
        self._seat: Seat | None = None
        self._stream: EventStream | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.keep_alive = False
        self.more_body = False
        self.disconnected = False
        self.response_started = False
        self.response_complete = False

    @property
    def _desk(self) -> Desk:
        return self._line.desk

    def begin(self) -> None:
        """See `Taken`."""
        try:
            token = bearer(self._asked.authorization)
            checked = self._desk.tokens.remembered(token)
            if checked is None:
                self._desk.about.tasks.spawn(self._found(token), name="gateway.events")
            else:
                self._enter(checked)
        except Exception as fault:
            self._refuse(fault)

    def gone(self) -> None:
        """See `Taken`."""
        self.response_complete = True
        if self._timer is not None:
            self._timer.cancel()
        if self._stream is not None:
            self._stream.close(GONE)
        self._leave()
        # It refers to us.
        self._stream = None

    def pause(self) -> None:
        """See `Taken`."""
        if self._stream is not None:
            self._stream.outbox.fill()

    def go_on(self) -> None:
        """See `Taken`."""
        stream = self._stream
        if stream is None:
            return
        stream.outbox.go_on()
        if self._timer is not None and not stream.outbox.is_full:
            self._finish()

    def carry(self, body: bytes) -> None:
        """See `Carrier`."""
        if self._is_chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body)
        self._line.transport.write(body)

    def carrying(self) -> int:
        """See `Carrier`."""
        return self._line.transport.get_write_buffer_size()

    def end(self) -> None:
        """See `Connection`."""
        asyncio.get_running_loop().call_soon(self._end)

    async def _found(self, token: str) -> None:
        try:
            self._enter(await self._desk.tokens.checked(token))
        except Exception as fault:
            self._refuse(fault)

    def _enter(self, checked: Checked) -> None:
        if self.response_complete:
            return
        given = dict(parse_qsl(self._asked.query.decode("latin-1"), keep_blank_values=True))
        wanted = channels_of(given.get("channels", ""))
        places = places_of(self._asked.last_event_id)
        desk = self._desk
        desk.must_stay()
        desk.about.limits.admit("events")
        self._seat = desk.about.limits.connect(self._line.address)
        self._seat.take(checked.person.user)
        stream = EventStream(checked.person, desk.about, self)
        talk = opened(desk, stream, checked)
        self._stream = stream
        self._write_head()
        talk.welcome(CHANNELS_MAX)
        stream.begin(wanted, places)

    def _write_head(self) -> None:
        self.response_started = True
        headers = [*self._line.server_state.default_headers, *HEADERS]
        if self._is_chunked:
            headers.append(CHUNKED)
        self._line.transport.write(whole(200, headers, b""))

    def _refuse(self, fault: Exception) -> None:
        self._leave()
        if self.response_complete:
            return
        if self.response_started:
            # Whoever reads events cannot be told: the end without a last chunk says so.
            self._over()
            return
        begin = self._line.server_state.default_headers
        self._line.transport.write(refused(fault, begin, path=PATH, trace_id=self._asked.trace_id))
        self._over()

    def _end(self) -> None:
        """The stream ends; what is queued is still given to who takes it."""
        self._leave()
        if self.response_complete or self._stream is None or self._timer is not None:
            return
        if self._stream.outbox.is_full:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(GOODBYE_S, self._line.transport.abort)
        else:
            self._finish()

    def _finish(self) -> None:
        if self._is_chunked:
            self._line.transport.write(LAST_CHUNK)
        self._over()

    def _over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._stream = None
        self._line.over(self)

    def _leave(self) -> None:
        """Give back what the connection has here; again is nothing."""
        if self._seat is not None:
            self._seat.leave()
        if self._stream is not None:
            self._desk.registry.leave(self._stream)
