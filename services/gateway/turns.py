"""Work that takes long for one turn of the loop: so much of it in a turn, then others have theirs.

When tens of thousands come at once, who was there before is answered meanwhile, and so are the
questions of those who come.
"""

import asyncio
from collections import deque


class Turns:
    """Lets `most` go on in one turn of the loop, in the order in which they came."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most
        # Bounded by connections, and by requests of the app: each waits for one turn.
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def mine(self) -> None:
        """Return when it is one's turn."""
        loop = asyncio.get_running_loop()
        if self._left == self._most:
            loop.call_soon(self._begin)
        if self._left > 0:
            self._left -= 1
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _begin(self) -> None:
        self._left = self._most
        while self._waiting and self._left > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        if self._left < self._most:
            asyncio.get_running_loop().call_soon(self._begin)
