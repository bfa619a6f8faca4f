"""The followers of one worker."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cli.loading import text
from cli.loading.contents import OTHER, Contents
from cli.loading.errors import Errors
from cli.loading.latencies import Latencies
from cli.loading.watched import Taken, Watched
from cli.loading.words import Following, OfWay, Place
from libs.runtime.tasks import Tasks
from rostrum import (
    Client,
    Ended,
    Event,
    Follower,
    Jumped,
    Message,
    Received,
    RostrumError,
    WasReset,
)


@dataclass
class _OfWay:
    """What all followers of a way got."""

    delivered: int = 0
    repeated: int = 0
    out_of_order: int = 0
    left_out: int = 0
    latencies: Latencies = field(default_factory=Latencies)


class One:
    """One follower, and what it got."""

    def __init__(self, following: Following, places: Sequence[Place]) -> None:
        self.following = following
        self.watched = {at: Watched(places[at].start) for at in following.places}
        self.follower: Follower | None = None
        self.cursors = {
            places[at].channel: f"{places[at].epoch}-{places[at].start}" for at in following.places
        }
        self.place_of = {places[at].channel: at for at in following.places}

    @property
    def is_connected(self) -> bool:
        """Whether a gateway listens to it."""
        return self.follower is not None and self.follower.is_connected


class Crowd:
    """All followers of a worker. `client` makes the client of one."""

    def __init__(
        self,
        run: str,
        places: Sequence[Place],
        followings: Sequence[Following],
        client: Callable[[Following], Client],
    ) -> None:
        self._run = run
        self._client = client
        self._ones = [One(each, places) for each in followings]
        self._ways = {each.way: _OfWay() for each in followings}
        self.contents = [Contents() for _ in places]
        self.errors = Errors()

    def start(self, tasks: Tasks) -> None:
        """Begin, one after the other."""
        for one in self._ones:
            tasks.spawn(self._follow(one), name="follower")

    def counts(self) -> dict[str, OfWay]:
        """By way."""
        return {way: self._count(way, found) for way, found in self._ways.items()}

    def is_there(self, until: Sequence[int]) -> bool:
        """Whether everybody has everything to these ids."""
        return all(
            watched.last >= until[place] and not watched.missing
            for one in self._ones
            for place, watched in one.watched.items()
        )

    def judged(self, until: Sequence[int]) -> tuple[dict[str, int], dict[str, int]]:
        """By way: how many deliveries had to come, and how many did not."""
        expected, lost = dict.fromkeys(self._ways, 0), dict.fromkeys(self._ways, 0)
        for one in self._ones:
            for place, watched in one.watched.items():
                expected[one.following.way] += max(until[place] - watched.start, 0)
                lost[one.following.way] += watched.lost(until[place])
        return expected, lost

    async def _follow(self, one: One) -> None:
        await asyncio.sleep(one.following.after_s)
        try:
            await self._listen(one)
        except RostrumError as fault:
            self.errors.note(f"{one.following.way}: {type(fault).__name__}: {fault}")
        finally:
            one.follower = None

    async def _listen(self, one: One) -> None:
        async with (
            self._client(one.following) as client,
            client.follow(one.cursors, ways=(one.following.way,)) as follower,
        ):
            one.follower = follower
            async for event in follower:
                self._take(one, event)

    def _take(self, one: One, event: Event) -> None:
        of_way, place = self._ways[one.following.way], one.place_of[event.channel]
        match event:
            case Received():
                self._receive(of_way, place, one.watched[place], event)
            case Jumped():
                of_way.left_out += event.unread
                one.watched[place].jump(int(event.cursor.partition("-")[2]))
            case WasReset():
                self.errors.note(f"{one.following.way}: a channel was reset")
            case Ended():
                self.errors.note(f"{one.following.way}: ended: {event.code}")

    def _receive(self, of_way: _OfWay, place: int, watched: Watched, event: Received) -> None:
        of_way.delivered += 1
        taken = watched.take(event.entry.id)
        of_way.repeated += taken is Taken.REPEATED
        of_way.out_of_order += taken is Taken.OUT_OF_ORDER
        entry = event.entry
        sent = text.read(self._run, entry.text) if isinstance(entry, Message) else None
        self.contents[place].take(entry.id, OTHER if sent is None else sent.number)
        if sent is not None:
            of_way.latencies.take(text.took_ms(sent))

    def _count(self, way: str, found: _OfWay) -> OfWay:
        ones = [one for one in self._ones if one.following.way == way]
        followers = [one.follower for one in ones if one.follower is not None]
        return OfWay(
            followers=len(ones),
            connected=sum(one.is_connected for one in ones),
            delivered=found.delivered,
            missing=sum(watched.missing for one in ones for watched in one.watched.values()),
            repeated=found.repeated,
            out_of_order=found.out_of_order,
            left_out=found.left_out,
            breaks=sum(follower.counts.breaks for follower in followers),
            steps=dict(found.latencies.steps),
        )
