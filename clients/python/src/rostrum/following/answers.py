"""What routes of reading answer, and the frames that polls stand for."""

from collections.abc import Iterator
from typing import Any

import msgspec

from rostrum.cursor import Cursor
from rostrum.model import Entry
from rostrum.wire import (
    Drain,
    Entries,
    Jump,
    OfChannel,
    Reset,
    Unwatched,
    Watched,
    cursor_of,
    entries_of,
)


class PageAnswer(msgspec.Struct, frozen=True):
    """`GET /v1/channels/{channel}/messages`."""

    entries: tuple[dict[str, Any], ...]
    cursor: str
    head: int
    first: int
    more: bool

    @property
    def read(self) -> tuple[Entry, ...]:
        """The entries. Raises `Malformed`."""
        return entries_of(self.entries)

    @property
    def place(self) -> Cursor:
        """The cursor. Raises `Malformed`."""
        return cursor_of(self.cursor)


class _Jump(msgspec.Struct, frozen=True):
    unread: int
    head: int
    first: int


class _Reset(msgspec.Struct, frozen=True):
    head: int
    first: int


class _Drain(msgspec.Struct, frozen=True):
    reconnect_after_ms: float


class _Problem(msgspec.Struct, frozen=True):
    code: str
    detail: str = ""
    retry: str = "no"
    retry_after_s: float | None = None


class Part(msgspec.Struct, frozen=True):
    """What a poll says of one channel."""

    channel: str
    entries: tuple[dict[str, Any], ...] = ()
    cursor: str = ""
    head: int = 0
    jump: _Jump | None = None
    reset: _Reset | None = None
    drain: _Drain | None = None
    problem: _Problem | None = None

    def frame(self) -> OfChannel:
        """The same as a frame of a stream. Raises `Malformed`."""
        channel, cursor = self.channel, self.cursor
        if self.problem is not None:
            said = self.problem
            return Unwatched(channel, said.code, said.detail, said.retry, said.retry_after_s)
        if self.jump is not None:
            jump = self.jump
            return Jump(channel, cursor, jump.unread, jump.head, jump.first)
        if self.reset is not None:
            return Reset(channel, cursor, self.reset.head, self.reset.first)
        if not self.entries:
            # Where the channel is: an answer to who had no cursor.
            return Watched(channel, cursor, self.head, 0)
        return Entries(channel, entries_of(self.entries), cursor_of(cursor), self.head)


class PollAnswer(msgspec.Struct, frozen=True):
    """`POST /v1/poll`."""

    channels: tuple[Part, ...] = ()
    poll_after_ms: float = 0.0

    def frames(self) -> Iterator[OfChannel]:
        """What is said of channels. Raises `Malformed`."""
        return (part.frame() for part in self.channels)

    @property
    def drain(self) -> Drain | None:
        """Whether the gateway goes away."""
        drains = [part.drain for part in self.channels if part.drain is not None]
        return Drain(drains[0].reconnect_after_ms) if drains else None
