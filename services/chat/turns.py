"""Appends of a channel are begun in the order in which their posts came."""

import asyncio


class Turns:
    """The queues of the channels in which somebody waits or appends."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._last)

    def take(self, channel: str) -> "Turn":
        """The last place of the channel's queue. It has to be ended, whatever happens."""
        before = self._last.get(channel)
        mine = self._last[channel] = asyncio.get_running_loop().create_future()
        mine.add_done_callback(lambda _: self._leave(channel, mine))
        return Turn(before, mine)

    def _leave(self, channel: str, ended: "asyncio.Future[None]") -> None:
        if self._last.get(channel) is ended:
            del self._last[channel]


class Turn:
    """A place in a queue."""

    def __init__(self, before: "asyncio.Future[None] | None", mine: "asyncio.Future[None]") -> None:
        self._before = before
        self._mine = mine

    async def come(self) -> None:
        """Return when all who came before have ended their turns."""
        if self._before is not None:
            await asyncio.shield(self._before)

    def end(self) -> None:
        """Let the next one go, once all before are gone. Called right before an append, that one
        begins first: the next one only runs when the caller waits. Twice is as good as once."""
        if self._before is None or self._before.done():
            self._pass_on()
        else:
            self._before.add_done_callback(lambda _: self._pass_on())

    def _pass_on(self) -> None:
        if not self._mine.done():
            self._mine.set_result(None)
