"""What is on its way to one client: in order, bounded, written at once while the client takes it.

open ──the transport has enough──> full: frames wait here ──it has room again──> open
"""

import asyncio
from collections import deque
from typing import Protocol

from libs.runtime.clock import Clock

# Entries beyond this are not queued: the client reads too slowly and is told so.
BYTES_MAX = 256 << 10
# What must be said beside them (`behind` for a thousand channels takes 150 KiB) has so much more.
BYTES_MORE = 256 << 10
# A client that is served from pages gets the next one when it has read to here. A frame of any size
# fits then: a page of the longest texts takes 1.6 MB.
BYTES_READY = 64 << 10


class Carrier(Protocol):
    """The connection that an outbox writes to."""

    def carry(self, body: bytes) -> None:
        """Give a frame to the transport."""

    def carrying(self) -> int:
        """Bytes that the transport has and the kernel has not."""


class Outbox:
    """Frames for one client. The transport says when it has enough (`fill`) and when it has room
    again (`go_on`)."""

    __slots__ = (
        "_bytes",
        "_carrier",
        "_carrying",
        "_clock",
        "_frames",
        "_has_ended",
        "_has_room",
        "_said_bytes",
        "_since_s",
    )

    def __init__(self, carrier: Carrier, clock: Clock) -> None:
        self._carrier = carrier
        self._clock = clock
        # None while the client takes all at once, as most do. Each with whether it holds entries:
        # what must be said is counted apart from those.
        self._frames: deque[tuple[bytes, bool]] | None = None
        self._bytes = 0
        self._said_bytes = 0
        self._has_ended = False
        self._has_room: asyncio.Event | None = None
        # Since when (monotonic) the kernel has taken nothing of what the transport has.
        self._since_s = 0.0
        self._carrying = 0

    @property
    def is_full(self) -> bool:
        """Frames wait here."""
        return self._frames is not None

    @property
    def waiting(self) -> int:
        """What waits here, and what the transport has of it; 0 while the client takes all."""
        if self._frames is None:
            return 0
        return self._bytes + self._said_bytes + self._carrier.carrying()

    @property
    def is_ready(self) -> bool:
        """Most of the entries are written, or nothing more will be."""
        return self._has_ended or self._bytes <= BYTES_READY

    def put(self, frame: bytes) -> bool:
        """Entries. False when there is no room."""
        if self._frames is None:
            self._carrier.carry(frame)
            return True
        if self._bytes > BYTES_READY and self._bytes + len(frame) > BYTES_MAX:
            return False
        self._bytes += len(frame)
        self._frames.append((frame, True))
        return True

    def push(self, frame: bytes) -> bool:
        """What must be said. False when there is no room for that either."""
        if self._has_ended:
            # A reply that comes when the connection has closed: writing would be a fault, and one
            # of a task, with which the process would end.
            return True
        if self._frames is None:
            self._carrier.carry(frame)
            return True
        if self._said_bytes + len(frame) > BYTES_MORE:
            return False
        self._said_bytes += len(frame)
        self._frames.append((frame, False))
        return True

    def fill(self) -> None:
        """The transport has enough."""
        if self._frames is None:
            self._frames = deque()
            self._note()

    def go_on(self) -> None:
        """The transport has room: write what waits, until it has enough again."""
        if self._frames is None:
            return
        frames, self._frames = self._frames, None
        while frames and self._frames is None:
            # In here it may call `fill`.
            frame, has_entries = frames.popleft()
            self._carrier.carry(frame)
            self._count(len(frame), has_entries=has_entries)
        if frames:
            self._frames = frames
        if self._has_room is not None and self.is_ready:
            self._has_room.set()
            self._has_room = None

    def end(self) -> None:
        """The client takes no more: who waits for room need not."""
        self._has_ended = True
        if self._has_room is not None:
            self._has_room.set()
            self._has_room = None

    async def ready(self) -> bool:
        """Return when `is_ready`: at once, and True, or False after a wait, in which others may
        have been quicker."""
        if self.is_ready:
            return True
        if self._has_room is None:
            self._has_room = asyncio.Event()
        await self._has_room.wait()
        return False

    def stuck_s(self) -> float:
        """For how long the client has taken nothing of what it should, in seconds: to the last time
        that this was asked."""
        if self._frames is None:
            return 0.0
        if self._carrier.carrying() < self._carrying:
            self._note()
        return self._clock.monotonic() - self._since_s

    def _note(self) -> None:
        self._carrying = self._carrier.carrying()
        self._since_s = self._clock.monotonic()

    def _count(self, size: int, *, has_entries: bool) -> None:
        if has_entries:
            self._bytes -= size
        else:
            self._said_bytes -= size
