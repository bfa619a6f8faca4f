"""A poll of a connection, and what makes asking again cheap.

A client that polls sends the same head again and again, but for its cursor. So a poll that is
over is remembered by a digest of its head beneath the first line, and by whose it was: what comes
with the same digest on the same connection is a poll of the same person, and is neither parsed nor
looked up again.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.responses import Response

from libs.runtime.logging import logger
from libs.wire.codes import Problem

from .http_answers import Shared, responded
from .poll_lane import Asked, Caller, PollLane, Target

if TYPE_CHECKING:
    from .http_poll import PollHTTP

# A subset of what the parser takes: whatever is written otherwise is left to it.
LINE = re.compile(
    rb"GET /v1/channels/([^/?#%\x00-\x20\x7f-\xff]+)/poll\?([^#\x00-\x20\x7f-\xff]*) HTTP/1\.1"
)
LINE_BYTES_MAX = 256
# Those who wait for the same send the same line.
LINES_KEPT = 1_024
SWEEP_S = 1.0
DIGEST_BYTES = 16
# Nobody can look for two heads with one digest.
KEY = os.urandom(32)

_log = logger("gateway.http")


class PolledRequest(Caller):
    """A poll of a connection, with what uvicorn wants to know of a cycle, by its names."""

    __slots__ = (
        "asked",
        "digest",
        "disconnected",
        "is_steady",
        "keep_alive",
        "line",
        "more_body",
        "response_complete",
        "was_woken",
    )

    # Nobody waits for the body of a poll.
    message_event = asyncio.Event()
    response_started = False

    def __init__(self, line: "PollHTTP", asked: Asked | None, *, keep_alive: bool) -> None:
        super().__init__(line.lane)
        self.line = line
        # Until it begins.
        self.asked = asked
        # Of its head without the first line; empty when what is the same is to be parsed as well.
        self.digest = b""
        # Nothing else came on its connection: nor will it, most likely.
        self.is_steady = False
        # As one of very many.
        self.was_woken = False
        self.keep_alive = keep_alive
        self.response_complete = False
        self.disconnected = False
        self.more_body = False

    def wake(self, body: bytes) -> None:
        """See `Waiter`. What this costs is what the last of very many waits for."""
        line = self.line
        is_plain = self.keep_alive and not (line.has_more or self.lane.lot.hub.is_draining)
        if self.is_answered or not is_plain:
            super().wake(body)
            return
        self.is_answered = self.was_woken = True
        line.transport.write(line.shared.of(body, line.server_state.default_headers))
        line.told(self)
        if self.is_steady and self.lane.lot.waker.is_behind:
            line.flow.pause_reading()

    def left(self) -> None:
        """See `Waiter`."""
        super().left()
        self.line.rest(self)

    def begin(self) -> None:
        """See `Taken`."""
        if self.asked is not None:
            asked, self.asked = self.asked, None
            self.line.lane.take(self, asked)

    def gone(self) -> None:
        """See `Taken`."""
        self.line.lane.gone(self)

    def pause(self) -> None:
        """See `Taken`. It gets one answer, however large."""

    def go_on(self) -> None:
        """See `Taken`."""

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
        begin = self.line.server_state.default_headers
        self.line.finish(self, responded(response, begin, closes=not self.keep_alive))


class Later:
    """Polls that are answered, and whose connections go on as soon as this turn of the loop is
    over: what follows in the same bytes, or ends with the answer."""

    def __init__(self) -> None:
        self._answered: list[PolledRequest] = []

    def add(self, polled: PolledRequest) -> None:
        """Its answer is written."""
        if not self._answered:
            polled.line.loop.call_soon(self._go_on)
        self._answered.append(polled)

    def _go_on(self) -> None:
        answered, self._answered = self._answered, []
        while answered:
            polled = answered.pop()
            try:
                polled.line.over(polled)
            except Exception:
                # That connection is lost, and all others go on.
                _log.exception("a connection could not go on")
                polled.line.transport.abort()


class Idle:
    """Connections whose polls are answered and that say nothing: they are closed after the server's
    `timeout_keep_alive`, by one timer for all of them, up to `SWEEP_S` later."""

    def __init__(self) -> None:
        # In the order of when they were answered.
        self._since_s: dict[PollHTTP, float] = {}
        self._is_set = False

    def __len__(self) -> int:
        return len(self._since_s)

    def add(self, line: "PollHTTP") -> None:
        """It was answered and may ask again."""
        self._since_s.pop(line, None)
        self._since_s[line] = line.loop.time()
        if not self._is_set:
            self._set(line.loop)

    def discard(self, line: "PollHTTP") -> None:
        """It said something, or is gone."""
        self._since_s.pop(line, None)

    def _set(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_set = True
        loop.call_later(SWEEP_S, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_set = False
        now_s = loop.time()
        for line, since_s in list(self._since_s.items()):
            if now_s - since_s < line.timeout_keep_alive:
                break
            del self._since_s[line]
            line.timeout_keep_alive_handler()
        if self._since_s:
            self._set(loop)


def digest_of(head: bytes) -> bytes:
    """What a head is recognised by."""
    return hashlib.blake2b(head, digest_size=DIGEST_BYTES, key=KEY).digest()


def targets(lane: PollLane) -> Callable[[bytes], Target | None]:
    """What reads the first line of a poll: None when it is no plain one, or says what is refused:
    then the parser and the lane have to say so."""

    def read(line: bytes) -> Target | None:
        found = LINE.fullmatch(line)
        if found is None:
            return None
        try:
            return lane.target(found[1].decode(), found[2])
        except Problem:
            return None

    kept = lru_cache(LINES_KEPT)(read)
    return lambda line: kept(line) if len(line) <= LINE_BYTES_MAX else None
