"""Who watches what, and what waits for whom. No I/O: outboxes say when there is something."""

from collections import deque
from collections.abc import Callable, Iterable

from .metrics import SLOW_LINKS

# Codes with which a link is closed (RFC 6455 and its registry).
GONE = 1001
MALFORMED = 1007
DENIED = 1008
RESTART = 1012
SLOW = 1013


class Outbox:
    """Frames that wait for one gateway, at most `frames_max` with `bytes_max` bytes.

    `changed` is called whenever something was put or the outbox was closed. A full outbox closes:
    the gateway comes back and goes on from the heads it knows, so nothing is lost.
    """

    def __init__(self, frames_max: int, bytes_max: int, changed: Callable[[], None]) -> None:
        self.code: int | None = None
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._frames_max = frames_max
        self._bytes_max = bytes_max
        self._changed = changed

    def put(self, frame: bytes) -> None:
        """Add a frame; too many, and the outbox closes."""
        if self.code is not None:
            return
        if len(self._frames) >= self._frames_max or self._bytes + len(frame) > self._bytes_max:
            SLOW_LINKS.inc()
            self.close(SLOW)
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        self._changed()

    def take(self) -> bytes | None:
        """The next frame, or None."""
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self._bytes -= len(frame)
        return frame

    def is_roomy(self) -> bool:
        """Whether a snapshot may be put, which can wait: half is left to what cannot."""
        return len(self._frames) * 2 < self._frames_max and self._bytes * 2 < self._bytes_max

    def close(self, code: int) -> None:
        """Nothing more is put; `code` is the reason that the gateway is told. The first counts."""
        if self.code is None:
            self.code = code
            self._frames.clear()
            self._bytes = 0
            self._changed()


class Hub:
    """Watched channels and the outboxes of those who watch them."""

    def __init__(self) -> None:
        # Dicts, not sets: who hears first must not hang on addresses.
        self.watchers: dict[str, dict[Outbox, None]] = {}
        self.outboxes: dict[Outbox, None] = {}

    def join(self, outbox: Outbox) -> None:
        """A gateway is there."""
        self.outboxes[outbox] = None

    def leave(self, outbox: Outbox, watched: Iterable[str]) -> None:
        """A gateway is gone; `watched` are its channels."""
        self.outboxes.pop(outbox, None)
        for channel in watched:
            self.unwatch(outbox, channel)

    def watch(self, outbox: Outbox, channel: str) -> None:
        """What is published of `channel` is put into `outbox` from now on."""
        self.watchers.setdefault(channel, {})[outbox] = None

    def unwatch(self, outbox: Outbox, channel: str) -> None:
        """No more of `channel`."""
        watching = self.watchers.get(channel)
        if watching is not None:
            watching.pop(outbox, None)
            if not watching:
                del self.watchers[channel]

    def forget(self, channel: str) -> None:
        """Nobody watches the channel any more."""
        self.watchers.pop(channel, None)

    def publish(self, channel: str, frame: bytes) -> None:
        """Put a frame into every outbox that watches the channel."""
        for outbox in tuple(self.watchers.get(channel, ())):
            outbox.put(frame)

    def broadcast(self, frame: bytes) -> None:
        """Put a frame into every outbox."""
        for outbox in tuple(self.outboxes):
            outbox.put(frame)

    def close(self, code: int) -> None:
        """Close every outbox."""
        for outbox in tuple(self.outboxes):
            outbox.close(code)
