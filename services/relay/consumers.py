"""What relay follows: signals as they come, and the ends of watched partitions, for lost ones."""

from collections.abc import Sequence

from libs.log.port import Ends, LogError, Partition, PositionGone, Stored
from libs.runtime.directory import DirectoryReader
from libs.runtime.logging import logger
from libs.runtime.positions import Positions
from libs.runtime.service import Ports
from libs.wire.codec import Malformed
from libs.wire.codes import Problem
from libs.wire.records import Signal, decode
from libs.wire.services import RELAY
from libs.wire.topics import SIGNALS

from .channel import Ring
from .hub import Hub
from .rings import Rings

RETRY_S = 0.5
# One step of the comparison: four calls of the log a second, each for a quarter of the budget.
STEP_S = 0.25

_log = logger("relay.consumers")


class SignalTail:
    """Follows all signals from now on; those of before are in the rings by reading."""

    def __init__(self, ports: Ports, rings: Rings) -> None:
        self._ports = ports
        self._rings = rings
        self._starts: dict[Partition, int] = {}
        self._positions = Positions(RELAY)
        self._fault = "not followed yet"

    def lacks(self) -> list[str]:
        """Why news would come late."""
        return [f"signals: {self._fault}"] if self._fault else []

    async def run(self) -> None:
        """Follow for ever; faults of the log are waited out."""
        while True:
            try:
                await self._follow()
            except LogError as fault:
                if isinstance(fault, PositionGone):
                    # What is gone is healed by reconciling, as any other loss.
                    self._starts = {}
                self._fault = str(fault)
                _log.warning("signals wait", fault=self._fault)
                await self._ports.clock.sleep(RETRY_S)

    async def _follow(self) -> None:
        if not self._starts:
            parts = [Partition(SIGNALS.name, index) for index in range(SIGNALS.partitions)]
            ends = await self._ports.log.ends(parts)
            self._starts = {partition: ends[partition].next for partition in parts}
        self._fault = ""
        self._positions.note(self._starts)
        async with self._ports.log.tail(self._starts) as tail:
            async for batch in tail:
                for stored in batch:
                    self._take(stored)
                partition, position = batch[0].partition, batch[-1].offset + 1
                self._starts[partition] = position
                self._positions.note({partition: position})

    def _take(self, stored: Stored) -> None:
        try:
            record = decode(stored.value)
        except Malformed as fault:
            _log.error("signal skipped", offset=stored.offset, fault=str(fault))
            return
        if isinstance(record, Signal):
            self._rings.take(record)


class Reconciler:
    """Compares the heads of watched channels with the ends of their partitions, round robin."""

    def __init__(
        self, ports: Ports, directory: DirectoryReader, *, rings: Rings, hub: Hub, per_s: int
    ) -> None:
        self._ports = ports
        self._directory = directory
        self._rings = rings
        self._hub = hub
        self._batch = max(1, int(per_s * STEP_S))
        self._round: list[str] = []
        self._is_whole = True
        self._round_began_ms = ports.clock.now_ms()
        self.reconciled_ms = self._round_began_ms

    async def run(self) -> None:
        """Compare for ever, a batch each step."""
        while True:
            await self._ports.clock.sleep(STEP_S)
            try:
                await self.step()
            except (LogError, Problem) as fault:
                _log.warning("not reconciled", fault=str(fault))

    async def step(self) -> None:
        """Compare the next batch; at the end of a round begin another. Raises `LogError`: the batch
        waits for the next round, for it may be one partition that holds it up, and others turn."""
        if not self._round:
            self._round = list(self._hub.watchers)
            self._round_began_ms = self._ports.clock.now_ms()
            self._is_whole = True
        batch = self._round[-self._batch :]
        del self._round[-self._batch :]
        try:
            await self._compare([ring for name in batch if (ring := self._rings.peek(name))])
        except LogError:
            self._is_whole = False
            raise
        if not self._round and self._is_whole:
            self.reconciled_ms = self._round_began_ms

    async def _compare(self, rings: Sequence[Ring]) -> None:
        if not rings:
            return
        partitions = [_partition(ring) for ring in rings]
        # Heads as they were before the question: signals come while it is answered.
        known = [ring.head for ring in rings]
        ends = await self._ports.log.ends(partitions)
        for ring, partition, head in zip(rings, partitions, known, strict=True):
            try:
                await self._settle(ring, head, ends[partition])
            except Problem as fault:
                _log.warning("channel not reconciled", fault=str(fault))

    async def _settle(self, ring: Ring, head: int, ends: Ends) -> None:
        place = ring.placement
        if self._directory.fold.find(place.channel) != place:
            await self._rings.renew(ring)
        elif self._rings.compare(ring, head, ends):
            await self._rings.heal(ring, place.id_of(ends.next) - 1)


def _partition(ring: Ring) -> Partition:
    return Partition(ring.placement.topic, ring.placement.partition)
