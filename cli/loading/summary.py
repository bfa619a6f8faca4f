"""A run in figures: what is shown while it goes on, and what it ends with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.loading.latencies import added
from cli.loading.words import OfPosts, OfWay, Stats, Verdict

HALF, MOST = 0.5, 0.99

Row = dict[str, Any]


@dataclass(frozen=True)
class Summary:
    """All that workers counted, and what they judged once they did."""

    stats: Sequence[Stats]
    verdicts: Sequence[Verdict] = field(default_factory=tuple)

    def ways(self) -> list[Row]:
        """A row for each way."""
        names = dict.fromkeys(way for each in self.stats for way in each.ways)
        return [self._way(way) for way in names]

    def posts(self) -> Row:
        """What was posted, with how long acknowledgements took."""
        parts = [each.posts for each in self.stats]
        counts = {name: sum(getattr(part, name) for part in parts) for name in _COUNTED}
        return {**counts, **_percentiles([part.steps for part in parts])}

    def judgement(self) -> Row:
        """What must be 0, once it was judged."""
        rows = self.ways()
        return {
            "lost": sum(_total(each.lost) for each in self.verdicts),
            "repeated": sum(row["repeated"] for row in rows)
            + sum(each.written_again for each in self.verdicts),
            "out_of_order": sum(row["out_of_order"] for row in rows),
            "differing": sum(each.differing for each in self.verdicts),
            "unfounded": sum(each.unfounded for each in self.verdicts),
        }

    def findings(self) -> list[str]:
        """What is wrong with the run, in words."""
        found = [f"{count:,} {_WORDS[name]}" for name, count in self.judgement().items() if count]
        if not self.posts()["acknowledged"]:
            found.append("no post was acknowledged")
        return found

    @property
    def late_ms(self) -> float:
        """How late a worker's own loop was at worst: no figure is better than that."""
        return round(max((each.late_ms for each in self.stats), default=0.0), 1)

    def _way(self, way: str) -> Row:
        parts = [each.ways[way] for each in self.stats if way in each.ways]
        counts = {name: sum(getattr(part, name) for part in parts) for name in _FOLLOWED}
        steps = [part.steps for part in parts]
        if self.verdicts:
            counts["expected"] = sum(each.expected.get(way, 0) for each in self.verdicts)
            counts["lost"] = sum(each.lost.get(way, 0) for each in self.verdicts)
        return {"way": way, **counts, **_percentiles(steps)}


# Fields of `OfPosts` and `OfWay` that are added up, in the order in which they are shown.
_COUNTED = tuple(name for name in OfPosts.__struct_fields__ if name != "steps")
_FOLLOWED = tuple(name for name in OfWay.__struct_fields__ if name != "steps")
_WORDS = {
    "lost": "deliveries were lost",
    "repeated": "came or were written again",
    "out_of_order": "came out of order",
    "differing": "were not the same for everybody",
    "unfounded": "acknowledged posts are not where they were said to be",
}


def _percentiles(steps: Sequence[Mapping[int, int]]) -> Row:
    whole = added(steps)
    return {"p50_ms": whole.percentile_ms(HALF), "p99_ms": whole.percentile_ms(MOST)}


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())
