"""Time as a port: services are given a clock, so that tests can turn it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for what people read, monotonic time for what we measure, and sleep."""

    def now_ms(self) -> int:
        """UTC, in milliseconds since 1970. May step."""

    def monotonic(self) -> float:
        """Seconds since some moment. Never falls."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
