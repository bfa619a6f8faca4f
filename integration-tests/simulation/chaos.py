"""What goes wrong, and when."""

from collections.abc import Callable, Sequence
from random import Random

from libs.log.faults import Fault, FaultyLog

from .links import Pipes
from .network import Network
from .process import Process

EVERY_S = 0.7
APPEND_FAULTS = {
    Fault.ERROR_BEFORE: 0.06,
    Fault.APPEND_THEN_ERROR: 0.08,
    Fault.ERROR_THEN_LATE_APPEND: 0.08,
    Fault.DELAYED_ACK: 0.08,
}
UNAVAILABLE = 0.04
CUT_S_MAX = 2.0
FUSE_STEPS_MAX = 300


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
    """Kills processes, cuts links, takes the log away: one thing after the other, for ever."""

    def __init__(self, dice: Random, network: Network, *, log: FaultyLog, pipes: Pipes) -> None:
        self._dice = dice
        self._network = network
        self._log = log
        self._pipes = pipes

    async def run(self, living: Callable[[], Sequence[Process]]) -> None:
        """Until it is cancelled; the log may be cut then."""
        while True:
            await self._network.clock.sleep(self._dice.expovariate(1 / EVERY_S))
            draw = self._dice.random()
            if draw < 0.5:
                self._dice.choice(living()).light(self._dice.randrange(FUSE_STEPS_MAX))
            elif draw < 0.8:
                self._break_link()
            else:
                self._log.cut()
                await self._network.clock.sleep(self._dice.uniform(0, CUT_S_MAX))
                self._log.heal()

    def _break_link(self) -> None:
        if self._pipes.open:
            pipe = self._dice.choice(list(self._pipes.open))
            if self._dice.random() < 0.7:
                pipe.cut()
            else:
                pipe.silence()
