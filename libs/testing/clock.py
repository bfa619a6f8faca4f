"""Clocks that tests turn: both are a `libs.runtime.clock.Clock`."""

import asyncio
import heapq
from itertools import count

START_MS = 1_795_248_000_000
"""Where wall time begins: 2026-11-21T08:00:00Z, a moment that is easy to recognise in output."""

# After each sleeper is woken, the loop runs this many rounds before time goes on, so that what it
# does next (put, get, sleep again) happens at its own time. Chains of awaits are shorter than that.
ROUNDS_PER_WAKE = 20


class VirtualClock:
    """Time stands still until a test moves it. For the loop that the tests run on."""

    def __init__(self, start_ms: int = START_MS) -> None:
        self._start_ms = start_ms
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        """UTC, in milliseconds since 1970."""
        return self._start_ms + round(self._now * 1000)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return when the test has moved time by `seconds`; for 0 or less after one round."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    def sleeping(self) -> int:
        """How many sleep now: what a test waits for before it moves time."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    def advance(self, seconds: float) -> None:
        """Move time at once. Who is due wakes in the order of time when the loop runs next, and all
        of them see the new time."""
        until = self._now + _not_back(seconds)
        while self._wake_next(until):
            pass
        self._now = until

    async def elapse(self, seconds: float) -> None:
        """Let time pass: it stops at each sleeper's moment, and who woke runs before it goes on. A
        loop that sleeps 1 s does so ten times in 10 s."""
        until = self._now + _not_back(seconds)
        await _rounds()
        while self._wake_next(until):
            await _rounds()
        self._now = until

    def _wake_next(self, until: float) -> bool:
        """Go to the next sleeper's moment and wake it, if that is not after `until`."""
        if not self._sleepers or self._sleepers[0][0] > until:
            return False
        self._now, _, woken = heapq.heappop(self._sleepers)
        if not woken.done():
            woken.set_result(None)
        return True


class LoopClock:
    """The running loop's own time: on a `SeededLoop` it is virtual and nobody has to move it."""

    def __init__(self, start_ms: int = START_MS) -> None:
        self._start_ms = start_ms

    def now_ms(self) -> int:
        """UTC, in milliseconds since 1970; the loop's time 0 is `start_ms`."""
        return self._start_ms + round(self.monotonic() * 1000)

    def monotonic(self) -> float:
        """The loop's time in seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of the loop's time."""
        await asyncio.sleep(seconds)


def _not_back(seconds: float) -> float:
    if seconds < 0:
        raise ValueError(f"time does not go back ({seconds} s)")
    return seconds


async def _rounds() -> None:
    for _ in range(ROUNDS_PER_WAKE):
        await asyncio.sleep(0)
