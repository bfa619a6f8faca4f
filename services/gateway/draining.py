"""Going away: everybody who listens is moved, a few at a time, over the seconds of the drain."""

from math import ceil

from libs.runtime.clock import Clock

from .hub import Hub, Waiter
from .polls import Polls
from .streams.registry import Registry
from .streams.stream import Stream

STEP_S = 0.05


class Draining:
    """Moves pollers and streams. Those who were not moved yet go on to be served."""

    def __init__(self, hub: Hub, registry: Registry, clock: Clock) -> None:
        self._hub = hub
        self._registry = registry
        self._clock = clock

    async def run(self, over_s: float) -> None:
        """Move everybody, evenly over `over_s` seconds; who comes to poll meanwhile is sent away at
        once."""
        self._hub.is_draining = True
        until_s = self._clock.monotonic() + over_s
        steps = 2
        while steps > 1 and (left := self._left()):
            steps = max(1, round((until_s - self._clock.monotonic()) / STEP_S))
            for one in left[: ceil(len(left) / steps)]:
                if isinstance(one, Stream):
                    one.send_away(Polls.reconnect_after_ms())
                else:
                    self._hub.send_away(one, Polls.reconnect_after_ms())
            await self._clock.sleep(STEP_S if steps > 1 else 0.0)

    def _left(self) -> list[Waiter | Stream]:
        # A stream that was told stays in the registry until its connection has heard of it.
        streams = (stream for stream in self._registry if stream.closing is None)
        return [*self._hub.pollers(), *streams]
