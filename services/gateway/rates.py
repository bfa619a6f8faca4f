"""How often: a rate with a burst for each key, with one number of memory a key (GCRA)."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

# What is over its time goes, so many for each one that comes, and more once in a while: memory
# shrinks to what is in use, and nobody waits for a great sweep.
DROPPED_MAX = 2
SWEPT_MAX = 10_000
# Times are floats, and are told in microseconds: who comes at the very moment that was told is not
# sent away by the last digit.
DIGITS = 6


class Rate(NamedTuple):
    """`per_s` a second; who was quiet may have `burst` at once."""

    per_s: float
    burst: int


class Meter:
    """When a key may come next. Remembers `most` keys; beyond that the one that came longest ago is
    forgotten, as if it had been quiet. Times are seconds of any clock that does not go back."""

    def __init__(self, most: int) -> None:
        self._most = most
        # When a key has worked off what it took, in the order of when they came.
        self._free_s: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._free_s)

    def wait_s(self, key: Hashable, rate: Rate, now_s: float) -> float:
        """Seconds until the key may come; 0.0 for now."""
        free_s = self._free_s.get(key)
        if free_s is None:
            return 0.0
        wait_s = free_s - now_s - (rate.burst - 1) / rate.per_s
        return round(wait_s, DIGITS) if wait_s > 0 else 0.0

    def book(self, key: Hashable, rate: Rate, now_s: float) -> None:
        """The key came, or will as soon as `wait_s` says."""
        free_s = self._free_s.pop(key, now_s)
        # At the end, among those that came last.
        self._free_s[key] = (free_s if free_s > now_s else now_s) + 1 / rate.per_s
        if len(self._free_s) > self._most:
            self._free_s.popitem(last=False)
        self._drop_free(now_s, DROPPED_MAX)

    def sweep(self, now_s: float) -> None:
        """Forget who is free by now, at most `SWEPT_MAX` of them."""
        self._drop_free(now_s, SWEPT_MAX)

    def _drop_free(self, now_s: float, most: int) -> None:
        for _ in range(min(most, len(self._free_s))):
            oldest = next(iter(self._free_s))
            if self._free_s[oldest] > now_s:
                return
            del self._free_s[oldest]
