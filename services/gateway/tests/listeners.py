"""Entries, rooms and waiters for tests that need no service around them."""

import json
from typing import Any

from libs.wire.codes import Problem
from libs.wire.entries import Entry
from libs.wire.streams import Origin, ms_of
from services.gateway.answers import Writer
from services.gateway.hub import Hub, Poller, Room

AT = "2026-11-21T08:00:00.000Z"
AT_MS = ms_of(AT)
CHANNEL = "0" * 25 + "1"
EPOCH = 1
RING_BYTES = 1 << 20


def entry(ident: int, text: str = "hello") -> Entry:
    return Entry(id=ident, type="message", sender="ann", client_id=f"k{ident}", at=AT, text=text)


def entries(first: int, last: int) -> tuple[Entry, ...]:
    return tuple(entry(ident) for ident in range(first, last + 1))


def writer(channel: str = CHANNEL, *, epoch: int = EPOCH, poll_after_ms: int = 0) -> Writer:
    """Of a channel whose alias is 7 and counts from the id 5."""
    return Writer(channel, Origin(7, 5, AT_MS), epoch=epoch, poll_after_ms=poll_after_ms)


def room(*, head: int = 0, kept: int = 0, first: int = 1, channel: str = CHANNEL) -> Room:
    """A room that ends at `head` and has the newest `kept` entries in memory."""
    made = Room(channel, first=first, claim_offset=0, writer=writer(channel))
    made.restart(entries(head - kept + 1, head), head)
    return made


def hub(*rooms: Room, ring_bytes: int = RING_BYTES) -> Hub:
    made = Hub(now_s=0.0, ring_bytes=ring_bytes)
    for each in rooms:
        made.add(each)
    return made


class Listener(Poller):
    """A poller that keeps what it is told."""

    __slots__ = ("bodies", "problems")

    def __init__(self, user: str = "ann", after: int = 0) -> None:
        super().__init__(user, after)
        self.bodies: list[bytes] = []
        self.problems: list[Problem] = []

    def tell(self, body: bytes) -> None:
        self.bodies.append(body)

    def refuse(self, problem: Problem) -> None:
        self.problems.append(problem)

    @property
    def told(self) -> dict[str, Any]:
        """The one answer it got."""
        (body,) = self.bodies
        found: dict[str, Any] = json.loads(body)
        return found

    @property
    def refused(self) -> str:
        """The code of the one problem it got."""
        (problem,) = self.problems
        return problem.code.name


def parked(hub: Hub, room: Room, count: int = 1, *, until_s: float = 25.0) -> list[Listener]:
    """Listeners parked at the room's head."""
    made = [Listener(f"u{number}", room.head) for number in range(count)]
    for each in made:
        hub.park(each, room, until_s, peers=[])
    return made
