"""Which way to listen: the best one that can be opened and lasts."""

from collections.abc import Sequence

from rostrum.following.patience import Patience

# A connection may break at once for many reasons; twice in a row, while the gateway answers
# otherwise, is the way.
FAILURES_MAX = 2


class Choice:
    """Of `ways`, the best one first. `way` is the one to take now."""

    def __init__(self, ways: Sequence[str], patience: Patience) -> None:
        self.ways = tuple(ways)
        self._at = 0
        self._falls = 0
        self._patience = patience

    @property
    def way(self) -> str:
        """The one to take."""
        return self.ways[self._at]

    @property
    def is_last(self) -> bool:
        """Whether there is none to fall back to."""
        return self._at == len(self.ways) - 1

    @property
    def better(self) -> tuple[str, ...]:
        """Those that are to be tried again, the best one first."""
        return self.ways[: self._at]

    @property
    def better_after_s(self) -> float:
        """How long to wait until then."""
        first_s, most_s = self._patience.better_first_s, self._patience.better_most_s
        doublings = max(self._falls - 1, 0)
        return most_s if doublings > most_s / first_s else min(most_s, first_s * 2**doublings)

    def fall(self, way: str) -> None:
        """That one cannot be had: take the next one, if that is not so already."""
        if way == self.way and not self.is_last:
            self._at += 1
            self._falls += 1

    def wait_longer(self) -> None:
        """No better one can be had yet."""
        self._falls += 1

    def rise(self, way: str) -> None:
        """A better one can be opened: take it. How long it lasts is seen then."""
        self._at = self.ways.index(way)

    def lasted(self) -> None:
        """A connection of the best one lasted: what was before does not count any more."""
        if self._at == 0:
            self._falls = 0
