"""Whether the log answers: asked by every process, so that health tells the truth about it.

Those who follow the log wait out its silence without a word, as they should; an operator wants to
know.
"""

import asyncio

from libs.log.port import Log, LogError, Partition
from libs.runtime.clock import Clock
from libs.wire.topics import DIRECTORY

ASK_EVERY_S = 1.0
# A log that takes longer than this for its ends would not take a post in time either.
ANSWER_S_MAX = 2.0
PLACE = Partition(DIRECTORY.name, 0)


class LogWatch:
    """Asks the log for the end of a partition, again and again."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._fault: str | None = None

    def lacks(self) -> list[str]:
        """Why the log is not to be relied on now."""
        return [f"log: {self._fault}"] if self._fault is not None else []

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await self.ask()
            await self._clock.sleep(ASK_EVERY_S)

    async def ask(self) -> None:
        """Ask once."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                await self._log.ends([PLACE])
        except TimeoutError:
            self._fault = f"no answer within {ANSWER_S_MAX} s"
        except LogError as fault:
            self._fault = str(fault)
        else:
            self._fault = None
