"""The clocks of a deployment's machines against each other."""

from collections.abc import Sequence
from typing import NamedTuple

from cli.checking.line import Line, ok, unseen, wrong

PART = "clocks"
# What the gateways ask for: a heartbeat that comes late is as old as the clock of its writer says.
APART_MS_MAX = 1_000.0


class Clocked(NamedTuple):
    """How far a clock is ahead of ours, in ms, and by how much that may be wrong."""

    name: str
    ahead_ms: float
    unsure_ms: float

    @property
    def least(self) -> float:
        """It is not less."""
        return self.ahead_ms - self.unsure_ms

    @property
    def most(self) -> float:
        """It is not more."""
        return self.ahead_ms + self.unsure_ms


def clock_line(clocks: Sequence[Clocked]) -> Line:
    """Whether they agree. Our own clock is not judged: it may be a laptop's."""
    if len(clocks) < 2:
        return unseen(PART, "fewer than two were told, so there is nothing to compare")
    last, first = min(clocks, key=lambda each: each.most), max(clocks, key=lambda each: each.least)
    apart_ms = first.least - last.most
    if apart_ms > APART_MS_MAX:
        return wrong(
            PART,
            f"{first.name} is at least {apart_ms:,.0f} ms ahead of {last.name}",
            f"let NTP set both: they have to agree within {APART_MS_MAX:,.0f} ms",
        )
    unsure_ms = max(each.unsure_ms for each in clocks)
    return ok(
        PART,
        f"{len(clocks)} agree within {max(apart_ms, 0.0):,.0f} ms "
        f"(each known to {unsure_ms:,.0f} ms)",
    )
