"""Consumer groups within one process.

Each join and leave deals the partitions anew (`targets`). A member gives a partition up only when
it comes back for its next batch, so nobody else starts on it while the member still handles what it
was given; one that does not come back keeps its partitions until it leaves.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Protocol

from libs.log.port import NotWritten, Partition, PositionGone, Positions, Stored
from libs.log.sqlite.follow import Follower


class Offsets(Protocol):
    """Where a group's positions are kept."""

    async def commit_position(self, name: str, partition: Partition, position: int) -> None:
        """Remember it."""

    async def start_positions(
        self, name: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, int]:
        """The committed positions, else the first kept."""


class Roster:
    """The members of one group: who is to have which partition, and who has it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._members: list[Member] = []
        self._targets: dict[Partition, Member] = {}
        self._holders: dict[Partition, Member] = {}

    def join(self, member: "Member") -> None:
        """A member more."""
        self._members.append(member)
        self._deal()

    def leave(self, member: "Member") -> None:
        """A member less; what it had is free."""
        self._members.remove(member)
        self._holders = {p: holder for p, holder in self._holders.items() if holder is not member}
        self._deal()

    def is_empty(self) -> bool:
        """Nobody is left."""
        return not self._members

    def holds(self, member: "Member", partition: Partition) -> bool:
        """It is this member's."""
        return self._holders.get(partition) is member

    def give_up(self, member: "Member") -> Iterable[Partition]:
        """Free what the member has and shall no longer have."""
        freed = [
            partition
            for partition, holder in self._holders.items()
            if holder is member and self._targets.get(partition) is not member
        ]
        for partition in freed:
            del self._holders[partition]
            if taker := self._targets.get(partition):
                taker.dealt()
        return freed

    def take(self, member: "Member") -> Sequence[Partition]:
        """Give the member what it shall have and nobody else still has."""
        taken = [
            partition
            for partition, taker in self._targets.items()
            if taker is member and self._holders.get(partition, member) is member
        ]
        self._holders.update(dict.fromkeys(taken, member))
        return taken

    def _deal(self) -> None:
        """Each partition to the member that has fewest so far, among those that want its topic."""
        loads = dict.fromkeys(self._members, 0)
        self._targets = {}
        for partition in sorted({p for member in self._members for p in member.wanted}):
            takers = [member for member in self._members if partition in member.wanted]
            taker = min(takers, key=loads.__getitem__)
            loads[taker] += 1
            self._targets[partition] = taker
        for member in self._members:
            member.dealt()


class Member:
    """`Group` over a follower."""

    def __init__(
        self,
        roster: Roster,
        wanted: frozenset[Partition],
        *,
        positions: Positions,
        follower: Follower,
        offsets: Offsets,
    ) -> None:
        self.wanted = wanted
        self._roster = roster
        self._positions = positions
        self._follower = follower
        self._offsets = offsets
        roster.join(self)

    def dealt(self) -> None:
        """The partitions were dealt anew, or one became free: look when the next batch is due."""
        self._follower.changed.set()

    def leave(self) -> None:
        """Free everything."""
        self._roster.leave(self)
        self._follower.close()

    def assigned(self) -> frozenset[Partition]:
        """The partitions that are followed now."""
        return frozenset(self._follower.positions)

    async def commit(self, partition: Partition, position: int) -> None:
        """All below `position` is handled. Raises `NotWritten` when the partition is no longer
        this member's."""
        if not self._roster.holds(self, partition):
            raise NotWritten(f"{partition} is not this member's in group {self._roster.name}")
        await self._offsets.commit_position(self._roster.name, partition, position)

    def __aiter__(self) -> AsyncIterator[Sequence[Stored]]:
        return self

    async def __anext__(self) -> Sequence[Stored]:
        while True:
            self._follower.changed.clear()
            await self._settle()
            if records := await self._next_batch():
                return records
            await self._follower.changed.wait()

    async def _settle(self) -> None:
        for partition in self._roster.give_up(self):
            if partition in self._follower.positions:
                self._follower.stop(partition)
        taken = self._roster.take(self)
        given = [p for p in taken if p not in self._follower.positions]
        if given:
            kept = await self._offsets.start_positions(self._roster.name, given)
            asked = await self._positions(given)
            self._follower.start({p: asked.get(p, kept[p]) for p in given})

    async def _next_batch(self) -> Sequence[Stored]:
        try:
            return await self._follower.next_batch()
        except PositionGone as gone:
            # Its start is asked for again with the next batch, so a caller can go on from `first`.
            self._follower.stop(gone.partition)
            raise
