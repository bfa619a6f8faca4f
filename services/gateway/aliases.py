"""Small numbers for channels, the same on all connections of a gateway."""

import heapq


class Aliases:
    """Gives out the lowest number that is free."""

    def __init__(self) -> None:
        self._next = 0
        self._free: list[int] = []

    def take(self) -> int:
        """A number that nothing has now."""
        if self._free:
            return heapq.heappop(self._free)
        self._next += 1
        return self._next - 1

    def give_back(self, alias: int) -> None:
        """Nothing has this number any more."""
        heapq.heappush(self._free, alias)
