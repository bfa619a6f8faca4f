"""Who does what: followers over ways, channels, time and processes, and posts over people."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cli.loading.words import Following, Person, Place, Plan, Poster

# A person posts 30 times a second at most, in all channels; owners and admins as often to each.
POSTS_PERSON_PER_S = 20.0


@dataclass(frozen=True)
class Wanted:
    """What is asked for. `ways` counts followers by way; each follows `follows` channels."""

    url: str
    data: str
    ways: Mapping[str, int]
    channels: int
    follows: int
    per_s: float
    seconds: float
    ramp_s: float
    processes: int
    characters: int

    @property
    def followers(self) -> int:
        """Of all ways."""
        return sum(self.ways.values())

    @property
    def posters(self) -> int:
        """How many people it takes to post so often, as many in each process."""
        needed = math.ceil(self.per_s / POSTS_PERSON_PER_S)
        return math.ceil(max(needed, 1) / self.processes) * self.processes

    @property
    def people(self) -> int:
        """How many people there are: those who post first, then those who follow."""
        return self.posters + self.followers


def owner_of(wanted: Wanted, place: int) -> int:
    """The number of the person who owns a channel."""
    return place % wanted.posters


def plans(
    wanted: Wanted, run: str, places: Sequence[Place], people: Sequence[Person]
) -> list[Plan]:
    """The plan of each process."""
    followings = _followings(wanted, people[wanted.posters :])
    posters = _posters(wanted, people[: wanted.posters])
    return [
        Plan(
            url=wanted.url,
            data=wanted.data,
            run=run,
            places=tuple(places),
            followings=tuple(followings[at :: wanted.processes]),
            posters=tuple(posters[at :: wanted.processes]),
            per_s=wanted.per_s / wanted.processes,
            seconds=wanted.seconds,
            characters=wanted.characters,
            first=at,
            step=wanted.processes,
        )
        for at in range(wanted.processes)
    ]


def _followings(wanted: Wanted, people: Sequence[Person]) -> list[Following]:
    # The ways in turn, so that each has its part of every channel, process and moment.
    left = dict(wanted.ways)
    order: list[str] = []
    while len(order) < wanted.followers:
        turn = [way for way, count in left.items() if count]
        left = {way: left[way] - 1 for way in turn}
        order += turn
    pause_s = wanted.ramp_s / max(len(order), 1)
    return [
        Following(
            person=people[number],
            way=way,
            places=tuple((number + more) % wanted.channels for more in range(wanted.follows)),
            after_s=number * pause_s,
        )
        for number, way in enumerate(order)
    ]


def _posters(wanted: Wanted, people: Sequence[Person]) -> list[Poster]:
    """Each posts to the channels that it owns; who owns none helps at one."""
    return [
        Poster(
            person,
            tuple(place for place in range(wanted.channels) if owner_of(wanted, place) == number)
            or (number % wanted.channels,),
        )
        for number, person in enumerate(people)
    ]
