"""Waiting for what will be true soon, without guessing how soon."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

EVERY_S = 0.01


@overload
async def eventually(
    check: Callable[[], Awaitable[T]], *, within_s: float, every_s: float = EVERY_S, what: str
) -> T: ...
@overload
async def eventually(
    check: Callable[[], T], *, within_s: float, every_s: float = EVERY_S, what: str
) -> T: ...
async def eventually(
    check: Callable[[], object], *, within_s: float, every_s: float = EVERY_S, what: str
) -> object:
    """The first truthy value of `check`, sync or async, asked every `every_s` seconds.

    An `AssertionError` of the check counts as not yet; any other error ends the wait. After
    `within_s` seconds of the loop's time, also amid a check that hangs, raises `AssertionError`
    with `what` was waited for and the last value or error seen.
    """
    last = _Last()
    limit = asyncio.timeout(within_s)
    try:
        async with limit:
            return await last.wanted(check, every_s)
    except TimeoutError:
        if not limit.expired():
            raise
        raise AssertionError(f"{what}: not within {within_s} s; last seen: {last}") from last.error


class _Last:
    """What the check gave last, for the message at the deadline."""

    def __init__(self) -> None:
        self.value: object = None
        self.error: AssertionError | None = None
        self.answered = False

    async def wanted(self, check: Callable[[], object], every_s: float) -> object:
        """Ask until the answer is truthy."""
        while True:
            await self._ask(check)
            if self.value:
                return self.value
            await asyncio.sleep(every_s)

    async def _ask(self, check: Callable[[], object]) -> None:
        try:
            value = check()
            self.value = await value if inspect.isawaitable(value) else value
            self.error = None
        except AssertionError as fault:
            self.value, self.error = None, fault
        self.answered = True

    def __str__(self) -> str:
        if not self.answered:
            return "nothing, the check did not return"
        return repr(self.value if self.error is None else self.error)
