"""From the network to the consumer: bounded, in order."""

import asyncio
import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from rostrum.events import Event

# Two frames of the most entries. Who hands over waits until there is room and adds what one frame
# holds, so there are never more than this and a hundred.
EVENTS_MAX = 200


class Begun(NamedTuple):
    """Where a channel was when it was followed from now on: to be kept, not to be yielded."""

    channel: str
    cursor: str


class Inbox:
    """Events that nobody asked for yet. After `fail` those that are there are given, then the error
    is raised, for ever."""

    def __init__(self) -> None:
        self._items: deque[Event | Begun] = deque()
        self._fault: Exception | None = None
        # When somebody had to wait for room last (the loop's clock).
        self.full_s = -math.inf
        self._is_filled = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def __len__(self) -> int:
        return len(self._items)

    async def room(self) -> None:
        """Return when there is room. Put without waiting in between: others may be quicker."""
        while len(self._items) >= EVENTS_MAX:
            self._has_room.clear()
            await self._has_room.wait()
            self.full_s = asyncio.get_running_loop().time()

    def put(self, items: Iterable[Event | Begun]) -> None:
        """Hand over."""
        self._items.extend(items)
        self.wake()

    def fail(self, fault: Exception) -> None:
        """Nothing more comes, because of this."""
        self._fault = self._fault or fault
        self.wake()

    def wake(self) -> None:
        """Whoever waits in `filled` looks again."""
        self._is_filled.set()

    def drop(self, channel: str) -> None:
        """What is there of a channel is not given any more."""
        self._items = deque(item for item in self._items if item.channel != channel)
        self._has_room.set()

    def take(self) -> Event | Begun | None:
        """The next one; None when there is none now. Raises the error of `fail` after the last."""
        if self._items:
            item = self._items.popleft()
            self._has_room.set()
            return item
        if self._fault is not None:
            raise self._fault
        self._is_filled.clear()
        return None

    async def filled(self) -> None:
        """Return when it is worth looking again."""
        await self._is_filled.wait()
