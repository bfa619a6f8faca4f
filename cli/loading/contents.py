"""What stands at which id, as followers of one process saw it, against what was acknowledged."""

from collections import Counter
from collections.abc import Iterable

# An entry that is no post of this run: it has an id, and may stand there for everybody.
OTHER = -1


class Contents:
    """Of one channel: the number of the post at each id. All followers have to see the same."""

    def __init__(self) -> None:
        self.differing = 0
        self._at: dict[int, int] = {}

    def take(self, ident: int, number: int) -> None:
        """A follower saw the post `number` (or `OTHER`) at this id."""
        if self._at.setdefault(ident, number) != number:
            self.differing += 1

    def unfounded(self, acknowledged: Iterable[tuple[int, int]]) -> int:
        """How many (id, number) that were acknowledged have something else at their id."""
        return sum(self._at.get(ident, number) != number for ident, number in acknowledged)

    def written_again(self) -> int:
        """How often a post is at a further id."""
        counts = Counter(number for number in self._at.values() if number != OTHER)
        return sum(count - 1 for count in counts.values())
