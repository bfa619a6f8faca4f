"""Heartbeats as owners of all sources write them who have told all."""

import sys
from collections.abc import Mapping

from libs.log.port import Log, Partition
from libs.runtime.beats import Beats, sources_of
from libs.runtime.clock import Clock
from libs.wire.topics import Topic


class Owners:
    """They own all sources of a topic, and lag behind in none. `silent` are those that tell
    nothing."""

    def __init__(self, log: Log, clock: Clock, topic: Topic) -> None:
        self.silent: set[Partition] = set()
        self._sources = sources_of(topic)
        self._beats = Beats(log, clock, self, topic)

    def told(self) -> Mapping[Partition, int]:
        """See `Tells`."""
        return {source: sys.maxsize for source in self._sources if source not in self.silent}

    def hush(self) -> None:
        """None of them beats from now on."""
        self.silent = set(self._sources)

    async def beat(self) -> None:
        """All that are not silent beat once."""
        await self._beats.beat()

    async def run(self) -> None:
        """They beat once a second."""
        await self._beats.run()
