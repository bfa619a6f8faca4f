"""Follows channels: whatever breaks, each entry comes once, in order, or is told to be left out."""

from collections.abc import Iterable, Mapping, Sequence

from rostrum.cursor import Cursor
from rostrum.cursors import CursorStore, MemoryCursors
from rostrum.events import Ended, Event
from rostrum.following.choice import Choice
from rostrum.following.counts import Counts
from rostrum.following.crew import Crew
from rostrum.following.followed import Followed
from rostrum.following.inbox import Begun, Inbox
from rostrum.following.line import Surroundings
from rostrum.following.patience import Patience
from rostrum.following.spread import Spread
from rostrum.http import Http
from rostrum.ids import in_path
from rostrum.ways.events import Events
from rostrum.ways.poll import Poll
from rostrum.ways.socket import Socket
from rostrum.ways.way import Way

# The best one first.
WAYS = (Socket.name, Events.name, Poll.name)
# A cursor for each channel, or channels alone: where it was left, else where the channel is now.
Places = Mapping[str, str | None] | Iterable[str]


class Follower:
    """Yields what happens in channels. Enter it before use; leaving it ends its connections.

        async with client.follow({channel: "1-0"}, store=FileCursors("cursors.json")) as follower:
            async for event in follower:
                ...

    `cursors` says where each channel begins. What the `store` has of a channel goes before that;
    the cursor of an event is saved there when the next event is asked for, so: after you handled
    it. Ask for one event at a time. It ends when the last channel has `Ended`.

    Whatever breaks is repaired, for ever. Raises `SignedOut` when the session does not hold any
    more, `Refused` when a gateway does not take what we say, and what the store raises.
    """

    def __init__(
        self,
        http: Http,
        cursors: Places,
        *,
        store: CursorStore | None = None,
        ways: Sequence[str] = WAYS,
        patience: Patience = Patience(),  # noqa: B008 - frozen
    ) -> None:
        """`ways` are those that may be taken, the best one first: "websocket", "events", "poll".
        Raises `ValueError` for what is no id, cursor or way."""
        poll = Poll(http, patience)
        known: dict[str, Way] = {
            Socket.name: Socket(http, patience),
            Events.name: Events(http, patience),
            Poll.name: poll,
        }
        self._store = MemoryCursors() if store is None else store
        self._wanted = _checked(cursors)
        self._around = Surroundings(http, patience, Choice(_ways(ways), patience), poll)
        self._inbox = Inbox()
        self._spread = Spread(known, self._inbox, self._around)
        self._crew = Crew()
        self._places: dict[str, str | None] = {}
        # What was handed out and may not be handled yet.
        self._handed: Event | None = None
        self._has_ended = False

    async def __aenter__(self) -> "Follower":
        kept = self._store.load()
        for channel, cursor in self._wanted.items():
            self._follow(channel, kept.get(channel, cursor))
        await self._crew.__aenter__()
        self._crew.start(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._crew.__aexit__()

    def __aiter__(self) -> "Follower":
        return self

    async def __anext__(self) -> Event:
        """The next event. What was handed out before counts as handled. May be cancelled: nothing
        is lost by that."""
        self._save_handed()
        while True:
            item = self._inbox.take()
            if isinstance(item, Begun):
                self._moved(item.channel, item.cursor)
                self._store.save(item.channel, item.cursor)
            elif item is not None:
                return self._hand(item)
            elif self._has_ended and self._spread.is_empty:
                raise StopAsyncIteration
            else:
                await self._inbox.filled()

    @property
    def way(self) -> str:
        """How it listens now, or tries to."""
        return self._around.choice.way

    @property
    def is_connected(self) -> bool:
        """Whether some gateway listens to us at this moment."""
        return self._around.connected > 0

    @property
    def trouble(self) -> str:
        """Why the last connection ended, for people; empty while all is well."""
        return self._around.trouble

    @property
    def counts(self) -> Counts:
        """What was gone through so far."""
        return self._around.counts

    @property
    def cursors(self) -> dict[str, str | None]:
        """Of all channels that are followed: the cursor of the last event that was handed out, or
        where it began; None before that is known."""
        return dict(self._places)

    async def watch(self, cursors: Places) -> None:
        """Follow these channels too. One that is followed already begins anew. A cursor that is
        given here counts more than the store's. Raises `ValueError` as the constructor does."""
        wanted = _checked(cursors)
        kept = self._store.load()
        self._has_ended = False
        for channel, cursor in wanted.items():
            self._follow(channel, cursor or kept.get(channel))

    async def unwatch(self, channels: Iterable[str]) -> None:
        """Follow these no more: nothing of them is yielded from now on."""
        for channel in channels:
            self._places.pop(channel, None)
            self._spread.leave(channel)
        self._inbox.wake()

    async def _run(self) -> None:
        try:
            await self._spread.run()
        except Exception as fault:
            self._inbox.fail(fault)

    def _follow(self, channel: str, cursor: str | None) -> None:
        self._places[channel] = cursor
        place = None if cursor is None else Cursor.of(cursor)
        self._spread.follow(Followed.at(channel, place))

    def _hand(self, event: Event) -> Event:
        if isinstance(event, Ended):
            self._places.pop(event.channel, None)
            self._has_ended = True
        else:
            self._moved(event.channel, event.cursor)
        self._handed = event
        return event

    def _moved(self, channel: str, cursor: str) -> None:
        self._places[channel] = cursor

    def _save_handed(self) -> None:
        event = self._handed
        if event is not None and not isinstance(event, Ended):
            self._store.save(event.channel, event.cursor)
        self._handed = None


def _checked(cursors: Places) -> dict[str, str | None]:
    wanted = dict(cursors) if isinstance(cursors, Mapping) else dict.fromkeys(cursors)
    for channel, cursor in wanted.items():
        in_path(channel)
        if cursor is not None:
            Cursor.of(cursor)
    return wanted


def _ways(ways: Sequence[str]) -> Sequence[str]:
    if not ways or not set(ways) <= set(WAYS):
        raise ValueError(f"{list(ways)!r} are not ways to listen: name some of {', '.join(WAYS)}")
    return ways
