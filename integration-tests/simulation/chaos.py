"""What goes wrong, and when."""

from collections.abc import Awaitable, Callable, Sequence
from random import Random

from libs.log.faults import Fault, FaultyLog

from .links import Pipes
from .network import Network
from .process import Process
from .redis import Server

EVERY_S = 0.3
APPEND_FAULTS = {
    Fault.ERROR_BEFORE: 0.06,
    Fault.APPEND_THEN_ERROR: 0.08,
    Fault.ERROR_THEN_LATE_APPEND: 0.08,
    Fault.DELAYED_ACK: 0.08,
}
UNAVAILABLE = 0.04
KILL_SHARE = 0.6
LASTS_S_MAX = 2.0
FUSE_STEPS_MAX = 150


class Troubles:
    """A plan of the faulty log: by dice, until it is calm."""

    def __init__(self, dice: Random) -> None:
        self.is_calm = False
        self._dice = dice
        self._faults = [*APPEND_FAULTS, None]
        self._weights = [*APPEND_FAULTS.values(), 1 - sum(APPEND_FAULTS.values())]

    def for_append(self) -> Fault | None:
        """See `Plan`."""
        draw = self._dice.choices(self._faults, self._weights)[0]
        return None if self.is_calm else draw

    def for_read(self) -> bool:
        """See `Plan`."""
        return not self.is_calm and self._dice.random() < UNAVAILABLE


class Chaos:
    """Kills processes, cuts links, takes the log away, and what Redis knows: one thing after the
    other."""

    def __init__(
        self, dice: Random, network: Network, *, log: FaultyLog, pipes: Pipes, redis: Server
    ) -> None:
        self._dice = dice
        self._clock = network.clock
        self._log = log
        self._pipes = pipes
        self._redis = redis

    async def run(self, living: Callable[[], Sequence[Process]]) -> None:
        """For ever; whoever ends it has to `heal`."""
        acts: Sequence[Callable[[], Awaitable[None]]] = (
            self._cut_log,
            self._cut_link,
            self._silence_link,
            self._flush_redis,
            self._fail_redis_over,
            self._lose_redis,
        )
        while True:
            await self._clock.sleep(self._dice.expovariate(1 / EVERY_S))
            if self._dice.random() < KILL_SHARE:
                self._dice.choice(living()).light(self._dice.randrange(FUSE_STEPS_MAX))
            else:
                await self._dice.choice(acts)()

    def heal(self) -> None:
        """End what has a duration."""
        self._log.heal()
        self._redis.come_back()

    async def _cut_log(self) -> None:
        self._log.cut()
        await self._last()
        self._log.heal()

    async def _cut_link(self) -> None:
        if self._pipes.open:
            self._dice.choice(list(self._pipes.open)).cut()

    async def _silence_link(self) -> None:
        if self._pipes.open:
            self._dice.choice(list(self._pipes.open)).silence()

    async def _flush_redis(self) -> None:
        self._redis.flush()

    async def _fail_redis_over(self) -> None:
        self._redis.copy()
        await self._last()
        self._redis.fail_over()

    async def _lose_redis(self) -> None:
        self._redis.leave()
        await self._last()
        self._redis.come_back()

    async def _last(self) -> None:
        await self._clock.sleep(self._dice.uniform(0, LASTS_S_MAX))
