"""The channels that share a connection: what is heard of them, and what is to be done then."""

import asyncio
from contextlib import suppress

from rostrum.backoff import Backoff
from rostrum.events import Ended
from rostrum.following.counts import Counts
from rostrum.following.followed import BROKEN, Followed, State
from rostrum.following.inbox import Begun, Inbox
from rostrum.ledger import NOTHING, Step
from rostrum.wire import Behind, Entries, Jump, OfChannel, Reset, Unwatched, Watched

CURSOR_AHEAD = "cursor_ahead"


class Lot:
    """Some channels. Whoever hears something of one of them, waits for `inbox.room()` and then has
    it `hear`d, without waiting in between."""

    def __init__(self, inbox: Inbox, counts: Counts, again: Backoff) -> None:
        self.inbox = inbox
        self._counts = counts
        self._again = again
        self._followed: dict[str, Followed] = {}
        self._left: list[str] = []
        self._is_changed = asyncio.Event()
        self._is_torn = asyncio.Event()
        self._now_s = asyncio.get_running_loop().time

    def __len__(self) -> int:
        return len(self._followed)

    def __contains__(self, followed: Followed) -> bool:
        return self._followed.get(followed.channel) is followed

    def add(self, followed: Followed) -> None:
        """Follow a channel."""
        self._followed[followed.channel] = followed
        self._is_changed.set()

    def replace(self, followed: Followed) -> bool:
        """Follow a channel anew. Returns whether it was followed here."""
        is_here = followed.channel in self._followed
        if is_here:
            self.add(followed)
        return is_here

    def remove(self, channel: str) -> None:
        """Follow it no more, if it is followed here."""
        if self._followed.pop(channel, None) is not None:
            self._left.append(channel)
            self._is_changed.set()

    def give_all(self) -> dict[str, Followed]:
        """Give all channels away, to be followed by another connection."""
        given, self._followed = self._followed, {}
        return given

    def begin(self) -> None:
        """A connection begins: nothing is watched on it yet."""
        self._left.clear()
        for followed in self._followed.values():
            if followed.state is State.WATCHED:
                followed.watch_at_once()

    def due(self) -> dict[str, str | None]:
        """Cursors of the channels that are to be watched now; they count as watched then."""
        now_s = self._now_s()
        due = [each for each in self._followed.values() if _is_due(each, now_s)]
        for followed in due:
            followed.state = State.WATCHED
        return {followed.channel: followed.cursor for followed in due}

    def watched(self) -> dict[str, str | None]:
        """Cursors of the channels that are watched."""
        found = [each for each in self._followed.values() if each.state is State.WATCHED]
        return {followed.channel: followed.cursor for followed in found}

    def cursors(self) -> dict[str, str | None]:
        """Of all channels."""
        return {channel: each.cursor for channel, each in self._followed.items()}

    def left(self) -> tuple[str, ...]:
        """Channels that are to be unwatched, each told once."""
        left = tuple(channel for channel in self._left if channel not in self._followed)
        self._left.clear()
        return left

    async def changes(self) -> None:
        """Return when channels are due or were left, or there is none any more."""
        while self._followed and not self._left:
            self._is_changed.clear()
            wait_s = self._until_due_s()
            if wait_s is not None and wait_s <= 0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._is_changed.wait()

    async def torn(self) -> Followed:
        """The channel that has to be repaired next. It stays so until it is said to be mended."""
        while True:
            self._is_torn.clear()
            torn = [each for each in self._followed.values() if each.state in BROKEN]
            # Whose turn was longest ago, so that a long repair holds up nobody.
            first = min(torn, key=lambda each: each.due_s, default=None)
            wait_s = None if first is None else first.due_s - self._now_s()
            if first is not None and wait_s is not None and wait_s <= 0:
                return first
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._is_torn.wait()

    def goes_on(self, followed: Followed, after_s: float = 0.0) -> None:
        """It is repaired further when the others had their turn, and not before this."""
        followed.due_s = self._now_s() + after_s

    def mended(self, followed: Followed, *, is_whole: bool) -> None:
        """All that can be fetched is there: watch it. `is_whole`: nothing is missing; else what is
        missing is told by who is asked for it again."""
        if is_whole:
            followed.watch_at_once()
        else:
            followed.watch_later(self._now_s(), self._again)
        self._is_changed.set()

    def hear(self, frame: OfChannel) -> None:
        """Something that a gateway said. Of a channel that was left it is nothing any more."""
        followed = self._followed.get(frame.channel)
        if followed is None:
            return
        if isinstance(frame, Unwatched):
            self._unwatched(followed, frame)
        else:
            self.take(followed, self._step(followed, frame))

    def stands(self) -> None:
        """A gateway knows the cursors of all channels that are watched still."""
        for followed in self._followed.values():
            if followed.state is State.WATCHED:
                followed.ahead = 0

    def take(self, followed: Followed, step: Step) -> None:
        """What came of something that was heard or fetched."""
        self._counts.skipped += step.skipped
        self.inbox.put(step.events)
        if step.events:
            followed.moved()
        if step.is_torn and followed.state in (State.WATCHED, State.DUE):
            self._counts.gaps += 1
            self._tear(followed)

    def _step(self, followed: Followed, frame: Watched | Entries | Jump | Reset | Behind) -> Step:
        ledger, place = followed.ledger, frame.place
        match frame:
            case Watched():
                return self._watched(followed, frame)
            case Entries():
                return ledger.take(frame.entries, place, frame.head)
            case Jump():
                numbers = {"unread": frame.unread, "head": frame.head, "first": frame.first}
                return ledger.jump(place, **numbers)
            case Reset():
                return ledger.reset(place, head=frame.head, first=frame.first)
            case Behind():
                return self._behind(followed, frame)

    def _watched(self, followed: Followed, frame: Watched | Behind) -> Step:
        followed.ahead = 0
        if followed.ledger.place is None:
            self.inbox.put([Begun(followed.channel, frame.cursor)])
        return followed.ledger.watched(frame.place)

    def _behind(self, followed: Followed, frame: Behind) -> Step:
        self._counts.behind += 1
        self._watched(followed, frame)
        self._tear(followed)
        return NOTHING

    def _unwatched(self, followed: Followed, frame: Unwatched) -> None:
        if frame.code == CURSOR_AHEAD:
            followed.is_ahead(self._now_s(), self._again, frame.retry_after_s)
            self._is_torn.set()
        elif frame.retry == "no":
            del self._followed[followed.channel]
            self.inbox.put([Ended(followed.channel, frame.code, frame.detail)])
        elif followed.state is State.WATCHED:
            followed.watch_later(self._now_s(), self._again, frame.retry_after_s)
        self._is_changed.set()

    def _tear(self, followed: Followed) -> None:
        followed.state, followed.due_s = State.TORN, 0.0
        self._is_torn.set()

    def _until_due_s(self) -> float | None:
        times = [each.due_s for each in self._followed.values() if each.state is State.DUE]
        return min(times) - self._now_s() if times else None


def _is_due(followed: Followed, now_s: float) -> bool:
    return followed.state is State.DUE and followed.due_s <= now_s
