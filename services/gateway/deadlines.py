"""Deadlines of all parked connections: one wheel of 1-second buckets instead of a timer each."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Wheel(Generic[T]):
    """Items by the second at which they expire. Adding, removing and expiring cost O(1) an item."""

    def __init__(self, now_s: float) -> None:
        self._done = int(now_s)
        self._buckets: dict[int, dict[T, None]] = {}

    def add(self, item: T, at_s: float) -> int:
        """Expire `item` in the second that holds `at_s` or the next one. Returns its bucket."""
        second = max(int(at_s) + 1, self._done + 1)
        self._buckets.setdefault(second, {})[item] = None
        return second

    def remove(self, item: T, second: int) -> None:
        """Forget an item of that bucket; nothing happens if it is not there."""
        bucket = self._buckets.get(second)
        if bucket is None:
            return
        bucket.pop(item, None)
        if not bucket:
            del self._buckets[second]

    def expire(self, now_s: float) -> Iterator[T]:
        """The items whose second has passed, each once."""
        while self._done < int(now_s):
            self._done += 1
            yield from self._buckets.pop(self._done, {})

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets.values())
