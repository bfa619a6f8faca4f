"""`GET /v1/stream`: server-sent events, where proxies do not let a WebSocket through."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import ClassVar

import aiohttp

from rostrum import wire
from rostrum.door import PROBLEMS, retry_after_s
from rostrum.errors import Refused, RostrumError, SignedOut, problem_of
from rostrum.following.crew import until_one_ends
from rostrum.following.lot import Lot
from rostrum.following.patience import Patience
from rostrum.http import Http
from rostrum.ways.lines import EventLines, TooLong
from rostrum.ways.renewal import newer_token, until_renewal_s
from rostrum.ways.way import Drained, Gone, Silent, ending, heard, problem_of_frame, token_of
from rostrum.wire import Drain, Fault, FromGateway, Malformed, OfChannel, Welcome

CHANNELS_MAX = 100
# Of an answer that is none of ours, as much is read.
REFUSAL_BYTES_MAX = 64 << 10
EVENT_STREAM = "text/event-stream"
OK = 200
# What is followed may change at one moment by many calls; a stream that just began is not
# left sooner than this.
REOPEN_S = 0.1


class Events:
    """One request for all channels of a lot. What is followed is in the request, and so is who
    follows: when either changes the stream is opened anew, from where all channels are by then."""

    name: ClassVar[str] = "events"

    def __init__(self, http: Http, patience: Patience) -> None:
        self.most = CHANNELS_MAX
        self._http = http
        self._patience = patience

    async def listen(self, lot: Lot, opened: Callable[[], None]) -> None:
        """See `Way`."""
        lot.left()
        cursors = lot.watched() | lot.due()
        if not cursors:
            await lot.changes()
            return
        async with self._stream(cursors) as stream:
            opened()
            await until_one_ends(self._hear(stream, lot), _changes(lot), self._renewal(stream))

    async def can_open(self, lot: Lot) -> bool:
        """See `Way`."""
        cursors = dict(islice(lot.cursors().items(), self.most))
        try:
            async with self._stream(cursors):
                return True
        except (Gone, Refused, SignedOut):
            return False

    async def _hear(self, stream: "_Stream", lot: Lot) -> None:
        while True:
            frame = await stream.hear(self._patience.silence_s)
            if isinstance(frame, OfChannel):
                await lot.inbox.room()
                heard(lot, frame)

    async def _renewal(self, stream: "_Stream") -> None:
        """Return when there is a newer token."""
        await asyncio.sleep(until_renewal_s(stream.expires_in, self._patience))
        await newer_token(self._http, stream.token)

    @asynccontextmanager
    async def _stream(self, cursors: Mapping[str, str | None]) -> AsyncIterator["_Stream"]:
        token = await token_of(self._http)
        gateway, open_s = self._http.gateway(), self._patience.open_s
        began_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(open_s):
                reply = await self._http.raw.get(
                    f"{gateway}/v1/stream",
                    params={"channels": ",".join(cursors)},
                    headers=_headers(token, cursors),
                    allow_redirects=False,
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise Gone(f"no events at {gateway}: {fault!r}") from fault
        try:
            stream = _Stream(reply, token)
            left_s = began_s + open_s - asyncio.get_running_loop().time()
            await stream.open(left_s)
            yield stream
        finally:
            reply.close()


class _Stream:
    """The answer to one request. `expires_in` is how long it is good for, in seconds."""

    def __init__(self, reply: aiohttp.ClientResponse, token: str) -> None:
        self.token = token
        self.expires_in = 0.0
        self._reply = reply
        self._lines = EventLines()
        # What came and was not heard yet.
        self._waiting: deque[str] = deque()

    async def open(self, within_s: float) -> None:
        """Wait for the welcome. Raises what a refusal comes to."""
        try:
            async with asyncio.timeout(within_s):
                if self._reply.status != OK or self._reply.content_type != EVENT_STREAM:
                    raise await self._refusal()
                while not isinstance(frame := await self.hear(within_s), Welcome):
                    continue
        except TimeoutError:
            raise Gone(f"no welcome came in {within_s:.3g} s") from None
        self.expires_in = frame.expires_in

    async def hear(self, within_s: float) -> FromGateway:
        """The next frame. Raises what the end of the stream comes to."""
        frame = await self._frame(within_s)
        if isinstance(frame, Drain):
            raise Drained(frame.reconnect_after_ms / 1000)
        if isinstance(frame, Fault) and frame.ref is None:
            raise ending(problem_of_frame(frame), self.token)
        return frame

    async def _frame(self, within_s: float) -> FromGateway:
        try:
            while not self._waiting:
                chunk = await self._chunk(within_s)
                self._waiting.extend(self._lines.feed(chunk))
            return wire.frame_of(self._waiting.popleft())
        except (Malformed, TooLong, UnicodeDecodeError) as fault:
            raise Gone(str(fault)) from fault

    async def _chunk(self, within_s: float) -> bytes:
        try:
            async with asyncio.timeout(within_s):
                chunk = await self._reply.content.readany()
        except TimeoutError:
            raise Silent(f"nothing came for {within_s:g} s") from None
        except (aiohttp.ClientError, OSError) as fault:
            raise Gone(f"the stream broke: {fault!r}") from fault
        if not chunk:
            raise Gone("the stream ended")
        return chunk

    async def _refusal(self) -> RostrumError | Gone:
        """What an answer comes to that is no stream."""
        reply = self._reply
        if reply.status < PROBLEMS:
            return Gone(f"status {reply.status} and {reply.content_type} instead of a stream")
        try:
            body = await reply.content.read(REFUSAL_BYTES_MAX)
        except (aiohttp.ClientError, OSError) as fault:
            return Gone(f"status {reply.status}: {fault!r}")
        after_s = retry_after_s(reply.headers)
        return ending(problem_of(reply.status, body, retry_after_s=after_s), self.token)


async def _changes(lot: Lot) -> None:
    await asyncio.sleep(REOPEN_S)
    await lot.changes()


def _headers(token: str, cursors: Mapping[str, str | None]) -> dict[str, str]:
    """Who listens, and the id of an event that would name these places."""
    places = ",".join(f"{channel}={cursor}" for channel, cursor in cursors.items() if cursor)
    headers = {"Authorization": f"Bearer {token}", "Accept": EVENT_STREAM}
    return {**headers, "Last-Event-ID": places} if places else headers
