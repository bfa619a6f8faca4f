"""A poll, from cursor to answer or to a parked waiter. What a parser calls, whichever it is."""

import asyncio
from collections.abc import Sequence

from libs.runtime.service import Ports
from libs.wire import cursor as cursors
from libs.wire.api import PAIRS_MAX
from libs.wire.codes import Problem, Refused, TryAgain
from libs.wire.cursor import Cursor

from .access import AccessMemory, Grant
from .clients import Pages, encoded
from .feed import Feed
from .hub import Ahead, Fetch, Hub, Room, Waiter, decide
from .metrics import ANSWERS, ENDED

# A replica may lag behind what the client has read elsewhere; after this the cursor is wrong.
AHEAD_S = 1.0
AHEAD_POLL_S = 0.05
# Access may change between the decision and the moment of parking; more often than this is a fault.
DECISIONS_MAX = 5


class Polls:
    """Answers polls of one channel each."""

    def __init__(
        self, ports: Ports, hub: Hub, *, access: AccessMemory, feed: Feed, pages: Pages
    ) -> None:
        self._ports = ports
        self._hub = hub
        self._access = access
        self._feed = feed
        self._pages = pages

    async def poll(self, user: str, channel: str, after: str | None) -> "bytes | Parking":
        """The answer at once, or where to park. Raises `Problem`."""
        cursor = cursors.parse(after) if after is not None else None
        for _ in range(DECISIONS_MAX):
            grant = await self._access.grant(user, channel)
            room = await self._feed.room(grant.access)
            answer = await self._decide(room, grant, cursor)
            if self._access.holds(grant) and self._hub.rooms.get(channel) is room:
                return answer
        raise Refused("access_denied", "your access to this channel keeps changing; try again")

    def park(self, parking: "Parking", waiter: Waiter, wait_s: float) -> None:
        """Park; the waiter is answered or refused by whatever happens first. To be called without
        waiting in between, so that nothing happens between decision and parking."""
        if wait_s <= 0:
            # The wheel turns once a second; whoever only looks is not kept until then.
            room = parking.room
            waiter.answer(room.writer.entries((), parking.after, room.head))
            return
        until = self._ports.clock.monotonic() + wait_s
        self._hub.park(waiter, parking.room, until, peers=parking.grant.waiters)

    def gone(self, waiter: Waiter) -> None:
        """The client went away."""
        waiter.is_gone = True
        self._hub.leave(waiter)

    def hold(self, waiters: Sequence[Waiter]) -> None:
        """Access changed: nobody of these is served before it is decided anew who may listen."""
        held = []
        for waiter in waiters:
            if waiter.room is not None:
                held.append((waiter, waiter.room, float(waiter.bucket)))
                self._hub.leave(waiter)
        self._ports.tasks.spawn(self._decide_again(held), name="gateway.held")

    async def catch_up(self, room: Room, waiter: Waiter) -> None:
        """Serve a woken waiter whose answer lies behind the ring."""
        try:
            grant = await self._access.grant(waiter.user, room.channel)
            waiter.answer(await self._fetch(room, grant, Cursor(room.epoch, waiter.after)))
        except Problem as refused:
            waiter.refuse(refused)

    async def _decide_again(self, held: Sequence[tuple[Waiter, Room, float]]) -> None:
        # As many at once as one question to group-membership may have pairs.
        for start in range(0, len(held), PAIRS_MAX):
            some = held[start : start + PAIRS_MAX]
            await asyncio.gather(*(self._seat_again(*one) for one in some))

    async def _seat_again(self, waiter: Waiter, room: Room, until_s: float) -> None:
        try:
            cursor = str(Cursor(room.epoch, waiter.after))
            outcome = await self.poll(waiter.user, room.channel, cursor)
        except Problem as refused:
            waiter.refuse(_ended(refused))
            return
        if isinstance(outcome, bytes):
            waiter.answer(outcome)
        elif not waiter.is_gone:
            self._hub.park(waiter, outcome.room, until_s, peers=outcome.grant.waiters)

    async def _decide(self, room: Room, grant: Grant, cursor: Cursor | None) -> "bytes | Parking":
        decision = decide(room, cursor)
        if cursor is not None and decision is Ahead:
            await self._await_head(room, grant, cursor)
            decision = decide(room, cursor)
        if cursor is not None and decision is Fetch:
            ANSWERS.labels("page").inc()
            return await self._fetch(room, grant, cursor)
        if isinstance(decision, bytes):
            ANSWERS.labels("memory").inc()
            return decision
        if cursor is not None and self._hub.is_draining:
            return room.writer.drain(cursor.id, room.head, self._hub.reconnect_after_ms)
        # Still ahead: the room was replaced meanwhile, and the caller decides anew.
        return Parking(room, grant, room.head)

    async def _fetch(self, room: Room, grant: Grant, cursor: Cursor) -> bytes:
        page = await self._pages.after(grant.access, cursor.id)
        if not page.entries and page.first > cursor.id + 1:
            return room.writer.jump(room.head - cursor.id, room.head, page.first)
        if not page.entries:
            raise TryAgain("service_away", "the relay is behind the channel", retry_after_s=1)
        found = encoded(page)
        return room.writer.entries(found, page.entries[-1].id, max(room.head, page.head))

    async def _await_head(self, room: Room, grant: Grant, cursor: Cursor) -> None:
        clock = self._ports.clock
        until = clock.monotonic() + AHEAD_S
        while room.head < cursor.id and self._hub.rooms.get(room.channel) is room:
            page = await self._pages.read(grant.access, cursor.id + 1, 0)
            if page.head >= cursor.id:
                self._feed.watch_again(room)
            if clock.monotonic() > until:
                raise Refused(
                    "cursor_ahead",
                    f"the channel ends at {room.head}; ask without a cursor where it is",
                )
            await clock.sleep(AHEAD_POLL_S)


def _ended(refused: Problem) -> Problem:
    if isinstance(refused, TryAgain):
        return refused
    ENDED.inc()
    return Refused("access_ended", f"your access ended while you listened: {refused.detail}")


class Parking:
    """A decision to park: room and grant. Valid until the next await."""

    __slots__ = ("after", "grant", "room")

    def __init__(self, room: Room, grant: Grant, after: int) -> None:
        self.room = room
        self.grant = grant
        self.after = after
