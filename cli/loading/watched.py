"""What one follower got of one channel, judged by its ids, which are dense."""

from enum import Enum


class Taken(Enum):
    """What a delivery was."""

    NEXT = "next"
    REPEATED = "repeated"
    OUT_OF_ORDER = "out of order"


class Watched:
    """`start` is the last id before the follower began: all after it have to come, once each, in
    order."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.last = start
        self._missing: set[int] = set()

    @property
    def missing(self) -> int:
        """How many were passed over and did not come."""
        return len(self._missing)

    def take(self, ident: int) -> Taken:
        """An entry came."""
        if ident > self.last:
            self._pass_to(ident - 1)
            self.last = ident
            return Taken.NEXT
        if ident in self._missing:
            self._missing.discard(ident)
            return Taken.OUT_OF_ORDER
        return Taken.REPEATED

    def jump(self, ident: int) -> None:
        """It was told to go on after this id: what is between was left out."""
        self._pass_to(ident)
        self.last = max(self.last, ident)

    def lost(self, until: int) -> int:
        """How many of the ids to `until` did not come."""
        passed = sum(ident <= until for ident in self._missing)
        return passed + max(until - self.last, 0)

    def has(self, ident: int) -> bool:
        """Whether it came."""
        return self.start < ident <= self.last and ident not in self._missing

    def _pass_to(self, ident: int) -> None:
        self._missing.update(range(self.last + 1, ident + 1))
