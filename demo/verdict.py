"""What followers should have and what they have: lost, repeated, out of order, and how late."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

# Of what was lost, so many are named: enough to look for them.
NAMED_MAX = 10


@dataclass(frozen=True)
class Got:
    """What one follower got: the ids of messages in the order in which they came, and for each how
    many milliseconds after its append. `cpu_s`: what that took of a core. `trouble`: why it did not
    come to its end."""

    way: str
    ids: Sequence[int]
    late_ms: Sequence[int]
    cpu_s: float = 0.0
    trouble: str = ""


@dataclass
class Verdict:
    """`lost`, `repeated` and `out_of_order` tell for an id how often it was that; `unposted` is
    what came and was never acknowledged to the demo."""

    posted: int
    followers: int
    delivered: int = 0
    lost: Counter[int] = field(default_factory=Counter)
    repeated: Counter[int] = field(default_factory=Counter)
    out_of_order: Counter[int] = field(default_factory=Counter)
    unposted: Counter[int] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    late_ms: dict[str, list[int]] = field(default_factory=dict)
    cpu_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def expected(self) -> int:
        """How many deliveries there should be."""
        return self.posted * self.followers

    @property
    def is_good(self) -> bool:
        """Whether everybody has everything once and in order."""
        wrong = (self.lost, self.repeated, self.out_of_order, self.unposted, self.troubles)
        return self.delivered == self.expected and not any(wrong)

    def late(self, way: str, share: float) -> int | None:
        """What so many of a way (0.5: half) took at most, in milliseconds; None of nothing."""
        found = sorted(self.late_ms.get(way, ()))
        return found[max(ceil(share * len(found)), 1) - 1] if found else None

    def cpu_us(self, way: str) -> float:
        """What a delivery of a way took of its follower's core, in microseconds."""
        return 1e6 * self.cpu_s[way] / max(len(self.late_ms[way]), 1)


def judged(posted: Iterable[int], gots: Sequence[Got]) -> Verdict:
    """`posted` are the ids of all posts, as they were acknowledged."""
    wanted = set(posted)
    verdict = Verdict(len(wanted), len(gots))
    for got in gots:
        _judge(verdict, wanted, got)
        verdict.late_ms.setdefault(got.way, []).extend(got.late_ms)
        verdict.cpu_s[got.way] += got.cpu_s
        if got.trouble:
            verdict.troubles[got.trouble] += 1
    return verdict


def _judge(verdict: Verdict, wanted: set[int], got: Got) -> None:
    seen: set[int] = set()
    last = 0
    for ident in got.ids:
        if ident not in wanted:
            verdict.unposted[ident] += 1
        elif ident in seen:
            verdict.repeated[ident] += 1
        elif ident < last:
            verdict.out_of_order[ident] += 1
        seen.add(ident)
        last = max(last, ident)
    verdict.delivered += len(seen & wanted)
    verdict.lost.update(wanted - seen)


def named(ids: Counter[int]) -> str:
    """Which entries, and for how many followers."""
    shown = sorted(ids.items())[:NAMED_MAX]
    words = [f"{ident} ({count} followers)" for ident, count in shown]
    more = len(ids) - len(shown)
    return ", ".join(words) + (f" and {more:,} more" if more > 0 else "")
