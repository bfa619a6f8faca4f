"""Two writers of the directory race for the partitions of a small pool."""

from collections.abc import Sequence
from random import Random

from libs.log.port import Log, LogError
from libs.runtime.directory import DirectoryReader
from libs.testing.clock import LoopClock
from libs.wire import ids
from libs.wire.api import Access, AccessAnswer, AccessQuestion
from libs.wire.codes import Problem
from libs.wire.directory import Placement
from services.group_membership.claims import Claims
from services.group_membership.journal import Journal
from services.group_membership.model import Draft
from services.group_membership.pools import Pools

TRIES = 8
POOL_PARTITIONS = 6
PAUSE_S_MAX = 0.3


class NoView:
    """Claims are in the directory, not in a view."""

    async def reached(self, *_: object) -> None:
        """At once."""


class Claimant:
    """An instance of group-membership, as far as places go."""

    def __init__(self, log: Log, clock: LoopClock, dice: Random) -> None:
        self.placed: dict[str, Placement] = {}
        self._clock = clock
        self._dice = dice
        self._directory = DirectoryReader(log, clock)
        pools = Pools(log, self._directory.fold, partitions=POOL_PARTITIONS, most=1)
        self._claims = Claims(log, self._directory, pools, tries=TRIES, random=dice)
        self._journal = Journal(log, NoView())

    async def place(self, channels: Sequence[str]) -> None:
        """Give each channel a place, as often as it takes."""
        owner = ids.derived("user", "owner")
        for channel in channels:
            draft = Draft(channel, "group", owner, "public", "Title", None)
            while channel not in self.placed:
                try:
                    placement, _ = await self._claims.place(draft, self._journal)
                    self.placed[channel] = placement
                except (Problem, LogError):
                    await self._clock.sleep(self._dice.uniform(0, PAUSE_S_MAX))

    def answer(self, question: AccessQuestion) -> AccessAnswer:
        """Everybody may read and post."""
        answers = []
        for pair in question.pairs:
            place = self.placed[pair.channel]
            answers.append(
                Access(
                    pair.user,
                    pair.channel,
                    role="member",
                    may_read=True,
                    may_post=True,
                    epoch=place.epoch,
                    claim_offset=place.claim_offset,
                    topic=place.topic,
                )
            )
        return AccessAnswer(tuple(answers))


def disputes(one: Claimant, other: Claimant) -> list[str]:
    """Where the two do not agree, or gave one partition to two channels."""
    found = [
        f"claims: {channel} is at {place} and at {other.placed[channel]}"
        for channel, place in one.placed.items()
        if other.placed[channel] != place
    ]
    places = [(place.topic, place.partition) for place in one.placed.values()]
    if len(set(places)) < len(places):
        found.append(f"claims: one partition has two channels: {places}")
    return found
