"""Pool topics: made ahead of need, counted as they are."""

from libs.log.port import Log, LogError, TopicMismatch, UnknownTopic
from libs.runtime.clock import Clock
from libs.runtime.logging import logger
from libs.wire.codes import TryAgain
from libs.wire.directory import Directory
from libs.wire.topics import pool

from .metrics import FREE

# Below this share of free partitions the next pool is made: creating one takes a broker a while,
# and claims that find few free partitions meet each other.
FREE_SHARE = 0.2
# Other instances make pools too, and claim; once in this time it is looked at without a cause.
LOOK_S = 30.0
RETRY_S = 0.5

_log = logger("membership.pools")


class Pools:
    """Which pools there are and how large. `partitions` is the size of new ones, `most` the largest
    number of pools."""

    def __init__(self, log: Log, directory: Directory, *, partitions: int, most: int) -> None:
        self._log = log
        self._directory = directory
        self._partitions = partitions
        self._most = most
        self._sizes: list[int] = []

    def lacks(self) -> list[str]:
        """Why no channel can be placed yet."""
        return [] if self._sizes else ["pools: none is known yet"]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Partitions of each pool, by its number."""
        return tuple(self._sizes)

    def free(self) -> list[tuple[str, int]]:
        """Topic and partition of every place that no claim took."""
        names = [pool(number, size).name for number, size in enumerate(self._sizes)]
        return [
            (names[number], partition)
            for number, size in enumerate(self._sizes)
            for partition in range(size)
            if not self._directory.is_taken(number, partition)
        ]

    async def ensure(self) -> None:
        """Look for pools that others made; make the next one when little is free. Raises
        `LogError`."""
        await self._discover()
        while not self._has_plenty() and len(self._sizes) < self._most:
            try:
                await self._log.create_topics([pool(len(self._sizes), self._partitions)])
            except TopicMismatch:
                # Another instance made it this moment, with a size of its own.
                _log.warning("pool of another size", number=len(self._sizes))
            await self._discover()
        FREE.set(len(self.free()))

    async def room(self) -> list[tuple[str, int]]:
        """The free places, at least one. Raises `TryAgain` (`no_room`, `service_away`)."""
        try:
            if not self._has_plenty():
                await self.ensure()
        except LogError as fault:
            raise TryAgain("service_away", f"the log does not answer: {fault}") from fault
        free = self.free()
        if not free:
            raise TryAgain(
                "no_room", f"all {sum(self._sizes)} partitions have a channel; ask the operator"
            )
        return free

    async def run(self, clock: Clock) -> None:
        """Keep some free, for ever; faults of the log are waited out."""
        while True:
            try:
                await self.ensure()
                pause_s = LOOK_S
            except LogError as fault:
                _log.warning("pools wait", fault=str(fault))
                pause_s = RETRY_S
            await clock.sleep(pause_s)

    def _has_plenty(self) -> bool:
        return bool(self._sizes) and len(self.free()) >= FREE_SHARE * sum(self._sizes)

    async def _discover(self) -> None:
        # What there is decides, not the setting: pools may have been made with another one.
        while True:
            number = len(self._sizes)
            try:
                size = (await self._log.describe(pool(number, 1).name)).partitions
            except (UnknownTopic, ValueError):
                return
            # Another call of this method may have found it meanwhile.
            if number == len(self._sizes):
                self._sizes.append(size)
