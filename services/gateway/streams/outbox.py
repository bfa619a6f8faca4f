"""What waits to be written to one stream: bounded, in order, written by the stream's own task."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from libs.runtime.clock import Clock

# Entries beyond this are not queued: the client reads too slowly and is told so.
BYTES_MAX = 256 << 10
# What must be said beside them (`behind` for a thousand channels takes 150 KiB) has so much more.
BYTES_MORE = 256 << 10
# A client that is served from pages gets the next one when it has read to here. A frame of any size
# fits then: a page of the longest texts takes 1.6 MB.
BYTES_READY = 64 << 10


class Outbox:
    """Bytes on their way to a client. `since_s` (monotonic) is when the present write began."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Each with whether it holds entries; what must be said is counted apart from those.
        self._frames: deque[tuple[bytes, bool]] = deque()
        self._bytes = 0
        self._said_bytes = 0
        self._is_filled = asyncio.Event()
        self._is_low = asyncio.Event()
        self._is_low.set()
        self._has_ended = False
        self.since_s: float | None = None

    def put(self, frame: bytes) -> bool:
        """Queue entries. False when there is no room."""
        if self._bytes > BYTES_READY and self._bytes + len(frame) > BYTES_MAX:
            return False
        self._bytes += len(frame)
        if self._bytes > BYTES_READY and not self._has_ended:
            self._is_low.clear()
        self._add(frame, has_entries=True)
        return True

    def push(self, frame: bytes) -> bool:
        """Queue what must be said. False when there is no room for that either."""
        if self._said_bytes + len(frame) > BYTES_MORE:
            return False
        self._said_bytes += len(frame)
        self._add(frame, has_entries=False)
        return True

    def end(self) -> None:
        """Nobody will take more: who waits for room need not."""
        self._has_ended = True
        self._is_low.set()

    async def ready(self) -> bool:
        """Return when most of the entries are written, or nothing more will be: at once, and True,
        or False after a wait, in which others may have been quicker."""
        if self._is_low.is_set():
            return True
        await self._is_low.wait()
        return False

    def stuck_s(self) -> float:
        """How long the present write has made no progress, in seconds."""
        return 0.0 if self.since_s is None else self._clock.monotonic() - self.since_s

    async def drain(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        """Write for ever, whatever is queued. Raises what `write` raises."""
        while True:
            await self._is_filled.wait()
            await self.flush(write)

    async def flush(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        """Write what is queued now."""
        while self._frames:
            # Taken out when it is written: a write that was cancelled while it waited is repeated
            # by the next flush, or what comes after it would be sent with a hole before.
            frame, has_entries = self._frames[0]
            self.since_s = self._clock.monotonic()
            await write(frame)
            self._frames.popleft()
            self.since_s = None
            self._wrote(len(frame), has_entries=has_entries)
        self._is_filled.clear()

    def _wrote(self, size: int, *, has_entries: bool) -> None:
        if not has_entries:
            self._said_bytes -= size
            return
        self._bytes -= size
        if self._bytes <= BYTES_READY:
            self._is_low.set()

    def _add(self, frame: bytes, *, has_entries: bool) -> None:
        self._frames.append((frame, has_entries))
        self._is_filled.set()
