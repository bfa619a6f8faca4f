"""How long to wait before the same is tried again, and when to give up."""

import asyncio
import random
from typing import NamedTuple

from rostrum.errors import OutcomeUnknown, Problem, RostrumError, Unreachable

# As docs/protocol.md asks of all clients: many that lost the same gateway come back spread.
FIRST_S = 0.5
MOST_S = 30.0
# Doublings beyond this change nothing any more.
DOUBLINGS_MAX = 16
LIMIT_HIT = "limit_hit"
# No attempt begins when less is left: it would be cut off, and its outcome unknown for nothing.
LAST_S = 1.0
LAST_PART = 0.1


class Backoff(NamedTuple):
    """A random time between 0 and `first_s * 2^failures`, at most `most_s`. In seconds."""

    first_s: float = FIRST_S
    most_s: float = MOST_S

    def wait_s(self, failures: int, told_s: float | None = None) -> float:
        """How long to wait after so many failures in a row, and not less than was told."""
        most = min(self.most_s, self.first_s * 2 ** min(failures, DOUBLINGS_MAX))
        return max(random.uniform(0, most), told_s or 0.0)


class Attempts:
    """Attempts at one thing, for `within_s` seconds from now, and what is known of them so far.

    `is_unknown`: one of them may have done it. `limited_s`: how long a limit made it wait last.
    """

    def __init__(self, backoff: Backoff, within_s: float) -> None:
        self._backoff = backoff
        self._now = asyncio.get_running_loop().time
        self._within_s = within_s
        self._ends = self._now() + within_s
        self._last_begins = self._ends - last_s(within_s)
        self._failures = 0
        self._tried: dict[str, str] = {}
        self.is_unknown = False
        self.limited_s: float | None = None

    def left_s(self) -> float:
        """Seconds until the end, 0.0 when it is over."""
        return max(self._ends - self._now(), 0.0)

    async def wait(self, fault: Problem | Unreachable) -> None:
        """Return when it is time for the next attempt. When that would be too late, raises what all
        the attempts come to."""
        self._note(fault)
        told_s = fault.retry_after_s if isinstance(fault, Problem) else None
        wait_s = self._backoff.wait_s(self._failures, told_s)
        if self._now() + wait_s >= self._last_begins:
            raise self._verdict(fault) from fault
        await asyncio.sleep(wait_s)

    def _note(self, fault: Problem | Unreachable) -> None:
        self._failures += 1
        self.is_unknown |= fault.may_be_done
        if isinstance(fault, Unreachable):
            self._tried |= fault.tried
        elif fault.code == LIMIT_HIT:
            self.limited_s = fault.retry_after_s or 0.0

    def _verdict(self, fault: Problem | Unreachable) -> RostrumError:
        if self.is_unknown and not fault.may_be_done:
            why = f"an earlier attempt may have been done, and the last one says {fault}"
            return OutcomeUnknown("outcome_unknown", why)
        if isinstance(fault, Unreachable):
            return Unreachable(self._tried, within_s=self._within_s)
        return fault


def last_s(within_s: float) -> float:
    """How long before the end of `within_s` seconds the last attempt begins."""
    return min(LAST_S, within_s * LAST_PART)
