"""From threads to the event loop: a burst is one wake-up, however many items it has."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class HandOver(Generic[T]):
    """Items that threads `put` reach `take` in the loop, in order."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, take: Callable[[Sequence[T]], None]
    ) -> None:
        self._loop = loop
        self._take = take
        self._items: deque[T] = deque()
        self._is_due = False

    def put(self, item: T) -> None:
        """From any thread. After the loop's end nobody is left to care."""
        self._items.append(item)
        if not self._is_due:
            self._is_due = True
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        # Down before the items are taken: what comes after is announced anew.
        self._is_due = False
        items: list[T] = []
        while self._items:
            items.append(self._items.popleft())
        self._take(items)
