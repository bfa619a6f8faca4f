"""How long things took, in steps of two in a hundred: bounded, and added up over processes."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

STEP = 1.02
# Ten minutes and more are one.
STEPS_MAX = math.ceil(math.log(600_000, STEP))

_LOG_STEP = math.log(STEP)


class Latencies:
    """Counts by steps of milliseconds. A percentile is right to 2 %, and never told too low."""

    def __init__(self, steps: Mapping[int, int] | None = None) -> None:
        self.steps: Counter[int] = Counter(steps)

    def take(self, took_ms: float) -> None:
        """One took so long."""
        self.steps[_step(took_ms)] += 1

    def percentile_ms(self, share: float) -> float | None:
        """What so many of them (0.5: half) took at most; None of nothing."""
        wanted = share * self.steps.total()
        seen = 0
        for step in sorted(self.steps):
            seen += self.steps[step]
            if seen >= wanted:
                return round(STEP**step, 2)
        return None


def added(parts: Iterable[Mapping[int, int]]) -> Latencies:
    """Of several processes."""
    whole = Latencies()
    for part in parts:
        whole.steps.update(part)
    return whole


def _step(took_ms: float) -> int:
    # Under a millisecond nobody cares: network and loop take that.
    return min(max(math.ceil(math.log(max(took_ms, 1.0)) / _LOG_STEP), 0), STEPS_MAX)
