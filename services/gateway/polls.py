"""From a cursor to an answer or a seat: one decision for all ways of listening. What a parser
calls, whichever it is."""

import asyncio
import random
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from libs.runtime.service import Ports
from libs.wire.api import PAIRS_MAX
from libs.wire.codes import Problem, Refused, TryAgain
from libs.wire.cursor import Cursor

from .access import AccessMemory, Grant
from .answers import Answer, Drain, Entries, Jump, Kept
from .clients import Pages
from .decisions import Fetch, Here, Park, decide
from .feed import Feed
from .hub import Hub, Room, Waiter
from .metrics import ANSWERS, ENDED

# A replica may lag behind what the client has read elsewhere; after this the cursor is wrong.
AHEAD_S = 1.0
AHEAD_POLL_S = 0.05
# Access may change between the decision and the moment of parking; more often than this is a fault.
DECISIONS_MAX = 5
# Of both encodings. A hundred of the longest messages are some MiB: more than an outbox holds, and
# than a slow client takes in the time that it has for one write.
PAGE_BYTES_MAX = 256 << 10
# Pollers that are sent away come back elsewhere within so long, not all at once.
RECONNECT_MS_MAX = 500


class Saying(NamedTuple):
    """A decision to tell something: valid until the next await."""

    room: Room
    answer: Answer | Here


class Parking(NamedTuple):
    """A decision to park at `after`, the head: valid until the next await."""

    room: Room
    grant: Grant
    after: int


class _Held(NamedTuple):
    waiter: Waiter
    room: Room
    until_s: float | None


class Polls:
    """Decides for one channel at a time."""

    def __init__(
        self, ports: Ports, hub: Hub, *, access: AccessMemory, feed: Feed, pages: Pages
    ) -> None:
        self._ports = ports
        self._hub = hub
        self._access = access
        self._feed = feed
        self._pages = pages

    async def ask(self, user: str, channel: str, cursor: Cursor | None) -> Saying | Parking:
        """What to tell who is at `cursor`, or where to park; None is wherever the channel is, where
        nothing is to be told. Raises `Problem`."""
        for _ in range(DECISIONS_MAX):
            grant = await self._access.grant(user, channel)
            room = await self._feed.room(grant.access)
            decision = await self._decide(room, grant, cursor)
            if self._access.holds(grant) and self._hub.rooms.get(channel) is room:
                return decision
        raise Refused("access_denied", "your access to this channel keeps changing; try again")

    def at_once(self, user: str, channel: str, cursor: Cursor | None) -> Saying | Parking | None:
        """What `ask` gives, when all that it needs is remembered; else None. Raises `Problem`."""
        grant = self._access.remembered(user, channel)
        room = self._hub.room(channel)
        if grant is None or room is None:
            return None
        return _by_memory(room, grant, cursor)

    def may_have(self, channel: str, cursor: Cursor | None) -> bool:
        """Whether there may be something to tell at `cursor`, as far as is known here."""
        room = self._hub.rooms.get(channel)
        return room is None or (cursor is not None and cursor != (room.epoch, room.head))

    def park(self, parking: Parking, waiter: Waiter, wait_s: float) -> None:
        """Park; the waiter is answered or refused by whatever happens first. To be called without
        waiting in between, so that nothing happens between decision and parking."""
        if wait_s <= 0:
            # The wheel turns once a second; whoever only looks is not kept until then.
            room = parking.room
            room.say(waiter, Entries(parking.after, (), room.head))
            return
        self._seat(waiter, parking, self._ports.clock.monotonic() + wait_s)

    def gone(self, waiter: Waiter) -> None:
        """The client went away, or listens no more."""
        waiter.is_gone = True
        self._hub.leave(waiter)

    def settle(self, follower: Waiter, channel: str, cursor: Cursor | None) -> bool:
        """Bring a follower to its seat at once, telling it all on the way. False when something is
        not remembered: then `follow` goes on from where it is. Raises `Problem`."""
        while (found := self.at_once(follower.user, channel, cursor)) is not None:
            if isinstance(found, Parking):
                self._seat(follower, found, None)
                return True
            if not follower.is_ready:
                return False
            found.room.say(follower, found.answer)
            if follower.is_gone:
                return True
            cursor = Cursor(found.room.epoch, follower.after)
        return False

    async def follow(
        self, waiter: Waiter, channel: str, cursor: Cursor | None, until_s: float | None = None
    ) -> None:
        """Bring a waiter from `cursor` to its answer or its seat; a follower is told all on the way
        and always ends in a seat, unless it is refused or gone."""
        try:
            await self._follow(waiter, channel, cursor, until_s)
        except Problem as refused:
            if not waiter.is_gone:
                waiter.refuse(refused)

    def hold(self, waiters: Sequence[Waiter]) -> None:
        """Access changed: nobody of these is served before it is decided anew who may listen."""
        held = []
        for waiter in waiters:
            if waiter.room is not None:
                held.append(_Held(waiter, waiter.room, _until_s(waiter)))
                self._hub.leave(waiter)
        if held:
            self._ports.tasks.spawn(self._decide_again(held), name="gateway.held")

    async def catch_up(self, room: Room, waiter: Waiter) -> None:
        """Serve a waiter that was taken out of `room`: its answer is not in memory, or who may
        listen has to be asked."""
        await self._again(_Held(waiter, room, _until_s(waiter)))

    async def _follow(
        self, waiter: Waiter, channel: str, cursor: Cursor | None, until_s: float | None
    ) -> None:
        while True:
            found = await self.ask(waiter.user, channel, cursor)
            if waiter.is_gone:
                return
            if isinstance(found, Parking):
                if cursor is None and not waiter.stays:
                    # Asked where the channel is: that is the answer.
                    found.room.say(waiter, Entries(found.after, (), found.room.head))
                else:
                    self._seat(waiter, found, until_s)
                return
            if not await waiter.ready():
                # The decision was made before the wait; who must wait is not told to be behind.
                continue
            found.room.say(waiter, found.answer)
            if not _goes_on(waiter):
                return
            cursor = Cursor(found.room.epoch, waiter.after)

    def _seat(self, waiter: Waiter, parking: Parking, until_s: float | None) -> None:
        if self._hub.is_draining and not waiter.stays:
            away = Drain(parking.after, parking.room.head, self.reconnect_after_ms())
            parking.room.say(waiter, away)
            return
        waiter.after = parking.after
        self._hub.park(waiter, parking.room, until_s, peers=parking.grant)

    async def _decide_again(self, held: Sequence[_Held]) -> None:
        # As many at once as one question to group-membership may have pairs.
        for start in range(0, len(held), PAIRS_MAX):
            some = held[start : start + PAIRS_MAX]
            await asyncio.gather(*(self._again(one) for one in some))

    async def _again(self, held: _Held) -> None:
        waiter = held.waiter
        cursor = Cursor(held.room.epoch, waiter.after)
        try:
            await self._follow(waiter, held.room.channel, cursor, held.until_s)
        except Problem as refused:
            if not waiter.is_gone:
                waiter.refuse(_ended(refused))

    async def _decide(self, room: Room, grant: Grant, cursor: Cursor | None) -> Saying | Parking:
        found = _by_memory(room, grant, cursor)
        if found is None and cursor is not None:
            found = await self._by_relay(room, grant, cursor)
        # Still ahead: the room was replaced meanwhile, and the caller decides anew.
        return found or Parking(room, grant, room.head)

    async def _by_relay(self, room: Room, grant: Grant, cursor: Cursor) -> Saying | Parking | None:
        if cursor.id > room.head:
            await self._await_head(room, grant, cursor)
        if decide(room, cursor) is not Fetch:
            return _by_memory(room, grant, cursor)
        ANSWERS.labels("page").inc()
        return Saying(room, await self._fetch(room, grant, cursor))

    @staticmethod
    def reconnect_after_ms() -> int:
        """When one who is sent away comes again, in milliseconds: not when all others do."""
        return random.randrange(RECONNECT_MS_MAX)

    async def _fetch(self, room: Room, grant: Grant, cursor: Cursor) -> Answer:
        page = await self._pages.after(grant.access, cursor.id)
        if page.epoch != room.epoch:
            # What it holds has these ids in another epoch; the feed is about to say so.
            self._feed.watch_again(room)
            raise TryAgain("service_away", "the channel begins anew", retry_after_s=1)
        if page.first > cursor.id + 1:
            # What comes next is not kept any more, as the room did not know.
            return Jump(room.head - cursor.id, room.head, page.first)
        if not page.entries:
            raise TryAgain("service_away", "the relay is behind the channel", retry_after_s=1)
        kept = _fitting([room.writer.kept(entry) for entry in page.entries])
        return Entries(cursor.id, kept, max(room.head, page.head))

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


def _by_memory(room: Room, grant: Grant, cursor: Cursor | None) -> Saying | Parking | None:
    """None when the relay has to be asked."""
    decision = Park if cursor is None else decide(room, cursor)
    if decision is Park:
        return Parking(room, grant, room.head)
    if isinstance(decision, type):
        return None
    ANSWERS.labels("memory").inc()
    return Saying(room, decision)


def _until_s(waiter: Waiter) -> float | None:
    # A time that leads to the same bucket again: each change of access would add a second.
    return waiter.bucket - 1.0 if waiter.bucket else None


def _goes_on(waiter: Waiter) -> bool:
    return waiter.stays and not waiter.is_gone


def _fitting(kept: Sequence[Kept]) -> Sequence[Kept]:
    sizes = accumulate(each.size for each in kept)
    return kept[: max(1, sum(1 for size in sizes if size <= PAGE_BYTES_MAX))]


def _ended(refused: Problem) -> Problem:
    if isinstance(refused, TryAgain):
        return refused
    ENDED.inc()
    return Refused("access_ended", f"your access ended while you listened: {refused.detail}")
