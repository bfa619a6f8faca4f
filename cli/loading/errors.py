"""What went wrong, counted by what it was. Texts differ without end, so only so many are told
apart."""

from collections import Counter

KINDS_MAX = 20
REST = "other errors"


class Errors:
    """Counts by kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def note(self, kind: str) -> None:
        """It happened once more."""
        known = kind in self.counts or len(self.counts) < KINDS_MAX
        self.counts[kind if known else REST] += 1
