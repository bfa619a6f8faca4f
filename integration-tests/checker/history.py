"""What happened, as those saw it who asked: events, written line by line and read back.

`t_ns` is CLOCK_MONOTONIC in nanoseconds (`time.monotonic_ns()`), which all processes of a machine
share. What a client begins (`Invoke`, `Resume`) bears a time from before its request left, what it
was told (`Ok`, `Deliver`, `AccessEnded`) a time from after the answer came: so "a was answered
before b was begun" can be read off, and is never said too often.
"""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from libs.wire.codec import Struct, from_json, to_json

Via = Literal["poll", "page", "ws", "sse", "final"]
Phase = Literal["begin", "end"]


class _Timed(Struct, frozen=True, tag_field="event"):
    t_ns: int


class Invoke(_Timed, frozen=True, tag="invoke"):
    """One attempt at a post is about to leave. `attempt` counts those of one post, from 1; `retry`
    is what the request says. A process has one attempt at a post under way at a time."""

    process: str
    channel: str
    author: str
    client_id: str
    text: str
    retry: bool
    attempt: int = 1


class Ok(_Timed, frozen=True, tag="ok"):
    """The attempt was acknowledged as entry `id`; `is_new` is False for 200, an earlier post."""

    process: str
    channel: str
    author: str
    client_id: str
    id: int
    is_new: bool
    attempt: int = 1


class Failed(_Timed, frozen=True, tag="failed"):
    """This attempt certainly wrote nothing: 4xx, `not_written`, no connection was made."""

    process: str
    channel: str
    author: str
    client_id: str
    code: str
    attempt: int = 1


class Unknown(_Timed, frozen=True, tag="unknown"):
    """Whether this attempt wrote is not known: `outcome_unknown`, broken connection, timeout. An
    attempt without any outcome is as unknown as one with this."""

    process: str
    channel: str
    author: str
    client_id: str
    code: str
    attempt: int = 1


class Resume(_Timed, frozen=True, tag="resume"):
    """A session of a reader begins, or goes on anywhere, with cursor `epoch`-`after`.

    `user` is whose access it reads by; empty: the reader is named like its user. What is read as
    pages beside a stream (scrolling up) is a session of its own.
    """

    reader: str
    session: str
    channel: str
    epoch: int
    after: int
    user: str = ""


class Deliver(_Timed, frozen=True, tag="deliver"):
    """An entry came, in the order in which the session saw it. A `void` has no text, and `dup_of`
    unless its record was foreign or malformed."""

    reader: str
    session: str
    channel: str
    epoch: int
    id: int
    type: str
    author: str
    client_id: str
    text: str | None
    dup_of: int | None
    via: Via


class Jump(_Timed, frozen=True, tag="jump"):
    """The session was told to go on from anywhere up to `head`; `first` is the first entry kept."""

    reader: str
    session: str
    channel: str
    head: int
    first: int


class Reset(_Timed, frozen=True, tag="reset"):
    """The session was told that its cursor is of another epoch than `epoch`, which is now."""

    reader: str
    session: str
    channel: str
    epoch: int
    head: int
    first: int


class AccessEnded(_Timed, frozen=True, tag="access-ended"):
    """Whoever ended the access of `user` to `channel` was told that it is done."""

    channel: str
    user: str


class AccessBegan(_Timed, frozen=True, tag="access-began"):
    """`user` may read `channel` again; the time is from before that was asked for."""

    channel: str
    user: str


class Final(_Timed, frozen=True, tag="final"):
    """After all faults were healed a fresh reader has read the whole channel up to `head`. Its
    deliveries say `via="final"`; one such reader for each gateway."""

    reader: str
    channel: str
    head: int


class Fault(_Timed, frozen=True, tag="fault"):
    """Fault `name` (the kind: "kill", "pause") begins at or ends for `target`."""

    name: str
    target: str
    phase: Phase


Outcome = Ok | Failed | Unknown
Event = (
    Invoke
    | Ok
    | Failed
    | Unknown
    | Resume
    | Deliver
    | Jump
    | Reset
    | AccessEnded
    | AccessBegan
    | Final
    | Fault
)
_ALL: Any = list[Event]


class Writer:
    """Appends events to a file, for one process. An event is with the kernel when `write` returns:
    a process that is killed after that takes nothing with it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, event: Event) -> None:
        """Write one event as one line. Call it before the request of an `Invoke` leaves."""
        self._file.write(to_json(event) + b"\n")

    def close(self) -> None:
        """Write no more."""
        self._file.close()


def read(path: Path) -> list[Event]:
    """The events of one file in the order of its lines. Raises `Malformed`.

    A last line without an end is of a process that was killed while it wrote: what it tells of has
    not left that process, and is no event.
    """
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    # Read as one array: a million lines one by one would cost more than all rules together.
    return from_json(b"[" + whole.replace(b"\n", b",") + b"]", _ALL)


def merge(histories: Iterable[Iterable[Event]]) -> list[Event]:
    """All events by time. Those of one time keep the order of their history."""
    return sorted((event for history in histories for event in history), key=_time)


def _time(event: Event) -> int:
    return event.t_ns
