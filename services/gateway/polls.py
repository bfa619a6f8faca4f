"""A poll, from cursor to answer or to a parked waiter. What a parser calls, whichever it is."""

from libs.runtime.service import Ports
from libs.wire import cursor as cursors
from libs.wire.codes import Problem, Refused
from libs.wire.cursor import Cursor

from .access import AccessMemory, Grant
from .clients import Pages, encoded
from .feed import Feed
from .hub import Ahead, Fetch, Hub, Park, Room, Waiter, decide
from .metrics import ANSWERS

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
        self._hub.leave(waiter)

    async def catch_up(self, room: Room, waiter: Waiter) -> None:
        """Serve a woken waiter whose answer lies behind the ring."""
        try:
            grant = await self._access.grant(waiter.user, room.channel)
            waiter.answer(await self._fetch(room, grant, Cursor(room.epoch, waiter.after)))
        except Problem as refused:
            waiter.refuse(refused)

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
        assert decision is Park
        return Parking(room, grant, room.head)

    async def _fetch(self, room: Room, grant: Grant, cursor: Cursor) -> bytes:
        page = await self._pages.after(grant.access, cursor.id)
        if not page.entries:
            return room.writer.jump(room.head - cursor.id, room.head, page.first)
        found = encoded(page)
        return room.writer.entries(found, page.entries[-1].id, max(room.head, page.head))

    async def _await_head(self, room: Room, grant: Grant, cursor: Cursor) -> None:
        clock = self._ports.clock
        until = clock.monotonic() + AHEAD_S
        while room.head < cursor.id:
            page = await self._pages.read(grant.access, cursor.id + 1, 0)
            if page.head >= cursor.id:
                self._feed.watch_again(room)
            if clock.monotonic() > until:
                raise Refused(
                    "cursor_ahead",
                    f"the channel ends at {room.head}; ask without a cursor where it is",
                )
            await clock.sleep(AHEAD_POLL_S)


class Parking:
    """A decision to park: room and grant. Valid until the next await."""

    __slots__ = ("after", "grant", "room")

    def __init__(self, room: Room, grant: Grant, after: int) -> None:
        self.room = room
        self.grant = grant
        self.after = after
