"""Posts that go on whichever gateway dies: each is sent again, elsewhere, until it is taken."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

from harness.people import Person
from libs.testing.eventually import eventually

TAKEN_S = 60.0
AGAIN_S = 0.05
# More than wait at any rate of the tests, unless the machine cannot keep up.
WAITING_MAX = 100


class Poster:
    """One user, signed in at several gateways. A post's text begins with when it was sent first
    (CLOCK_MONOTONIC nanoseconds) and its number, and has `padding` after that."""

    def __init__(self, sessions: Sequence[Person], *, padding: str = "") -> None:
        self._sessions = sessions
        self._padding = padding
        self.offered = 0
        self.posted = 0
        self.is_over = asyncio.Event()

    async def post_all(self, channels: Sequence[str], posts: int, *, at_once: int) -> None:
        """So many posts, to the channels in turn."""
        numbers = iter(range(posts))

        async def post_some() -> None:
            for number in numbers:
                self.offered += 1
                await self._take(channels[number % len(channels)], number)

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(post_some())

    async def post_at(self, rate: float, channels: Sequence[str]) -> None:
        """`rate` posts a second until it is over; fewer while `WAITING_MAX` wait for an answer."""
        began, first = time.monotonic(), self.offered
        async with asyncio.TaskGroup() as group:
            while not self.is_over.is_set():
                due = first + int((time.monotonic() - began) * rate)
                most = min(due, self.posted + WAITING_MAX)
                for number in range(self.offered, most):
                    self.offered += 1
                    group.create_task(self._take(channels[number % len(channels)], number))
                await self._next(1 / rate)

    async def _next(self, within_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.is_over.wait()

    async def _take(self, channel: str, number: int) -> None:
        """Post until it is acknowledged."""
        text = f"{time.monotonic_ns()} {number} {self._padding}"
        turns = count(number)

        async def attempt() -> bool:
            session = self._sessions[next(turns) % len(self._sessions)]
            answer = await session.post(channel, text, f"post-{number}")
            if answer.status is not None and 400 <= answer.status < 500:
                raise ValueError(f"post {number}: {answer}")
            assert answer.status in {200, 201}, answer
            return True

        await eventually(attempt, within_s=TAKEN_S, every_s=AGAIN_S, what=f"post {number} is taken")
        self.posted += 1


def sent_s(text: str) -> float:
    """When a post was sent, in monotonic seconds."""
    return int(text.split(" ", 1)[0]) / 1e9
