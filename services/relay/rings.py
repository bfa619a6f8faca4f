"""The channels in memory, and what keeps them in step with the log.

A ring is changed by signals and by reads, both by id, so they may cross. While a ring is read for
the first time, signals for it are not lost: the highest id among them is kept, and what the read
did not reach is read after it.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice

from libs.log.port import READ_RECORDS_MAX, Ends, LogError, PositionGone
from libs.runtime.directory import DirectoryReader
from libs.runtime.flight import Flight
from libs.runtime.logging import logger
from libs.runtime.service import Ports
from libs.wire import frames
from libs.wire.codes import Refused, TryAgain
from libs.wire.directory import Placement
from libs.wire.entries import Entry
from libs.wire.frames import SNAPSHOT_ENTRIES_MAX, Appended, Snapshot, Unwatched
from libs.wire.records import Signal

from .channel import ENTRIES_KEPT, RING_ENTRIES, News, Ring, start_of
from .hub import Hub
from .metrics import HEALED, REFUSED, RING_BYTES, RINGS, SIGNALS
from .reader import Reader

# Entries in one frame: their texts stay under the frame's limit whatever they hold.
FRAME_ENTRIES_MAX = 32
SNAPSHOT_BYTES_MAX = frames.FRAME_BYTES_MAX // 2
# A gap that was heard of while an older one was being read may need a second read, not a third.
HEALS_MAX = 2
# Looking for rings to shrink goes over all of them: not again before this part of the budget more.
TRIM_EVERY = 16

_log = logger("relay.rings")


class Rings:
    """Rings by channel, under one budget of bytes; what grows is published to the hub."""

    def __init__(
        self,
        ports: Ports,
        directory: DirectoryReader,
        hub: Hub,
        *,
        bytes_max: int,
        reads_max: int,
    ) -> None:
        self.reader = Reader(ports.log, reads_max)
        self._directory = directory
        self._hub = hub
        self._bytes_max = self._trim_at = bytes_max
        self._bytes = 0
        self._rings: OrderedDict[str, Ring] = OrderedDict()
        self._loading: Flight[str, Ring] = Flight(ports.tasks)
        self._healing: Flight[str, None] = Flight(ports.tasks)
        self._tasks = ports.tasks
        # The highest id that a signal named while the channel was read for the first time.
        self._heard: dict[str, int] = {}
        # Heads of channels whose partition was found cut back: one entry each, and they are rare.
        self._floors: dict[str, tuple[int, int]] = {}

    def peek(self, channel: str) -> Ring | None:
        """The channel's ring if it is in memory."""
        return self._rings.get(channel)

    async def ring(self, channel: str, claim_offset: int) -> Ring:
        """The channel's ring, read if it is not in memory. Raises `Problem`."""
        placement = await self.placement(channel, claim_offset)
        ring = self._rings.get(channel)
        if ring is not None and ring.placement == placement:
            self._rings.move_to_end(channel)
            return ring
        return await self._loading.join(channel, lambda: self._load(placement))

    async def placement(self, channel: str, claim_offset: int) -> Placement:
        """Where the channel is. Raises `Problem`."""
        found = await self._directory.find(channel, claim_offset)
        if found is None:
            raise Refused("channel_unknown", f"there is no channel {channel}")
        return found

    def take(self, signal: Signal) -> None:
        """An entry was appended."""
        ring = self._rings.get(signal.channel)
        if ring is None or signal.epoch != ring.placement.epoch:
            if signal.channel in self._heard:
                self._heard[signal.channel] = max(self._heard[signal.channel], signal.id)
            return
        news = self._offer(ring, [(signal.id, signal.record, signal.at_ms)])
        SIGNALS.labels(news.value).inc()
        if news is News.GAP:
            self._tasks.spawn(self._heal_or_say(ring, signal.id), name="relay.heal")

    async def heal(self, ring: Ring, until: int) -> None:
        """Read what follows the ring's head, to `until` at least if it is there. Raises
        `TryAgain`."""
        try:
            for _ in range(HEALS_MAX):
                if ring.head < until:
                    await self._healing.join(ring.placement.channel, lambda: self._heal(ring))
        except PositionGone as fault:
            self._give_up(ring)
            raise TryAgain("service_away", f"entries are gone: {fault}; try again") from fault
        except LogError as fault:
            raise TryAgain("service_away", f"the log does not answer: {fault}") from fault

    def adopt(self, ring: Ring) -> None:
        """Keep a ring that is watched now, also if the budget took it just before."""
        channel = ring.placement.channel
        if channel not in self._rings:
            self._rings[channel] = ring
            self._bytes += ring.bytes

    def snapshot(self, ring: Ring, after: int) -> bytes:
        """The frame that a watch is answered with."""
        newest = ring.newest(after, entries=SNAPSHOT_ENTRIES_MAX, bytes_max=SNAPSHOT_BYTES_MAX)
        place = ring.placement
        frame = Snapshot(place.channel, place.epoch, ring.head, ring.lowest, tuple(newest))
        return frames.encode(frame)

    def compare(self, ring: Ring, known: int, ends: Ends) -> bool:
        """Whether the ring, whose head was `known` before the ends were asked for, is behind.
        Raises `TryAgain` when the partition ends below that head."""
        place = ring.placement
        ring.lowest = max(place.id_of(ends.first), place.base_id)
        end = place.id_of(ends.next) - 1
        if end < known:
            self._refuse(ring, known, end)
        return end > ring.head

    async def renew(self, ring: Ring) -> None:
        """The channel has another placement: read that, and tell who watches. Raises `Problem`."""
        channel = ring.placement.channel
        fresh = await self.ring(channel, ring.placement.claim_offset)
        self._hub.publish(channel, self.snapshot(fresh, -1))

    def drop(self, channel: str) -> None:
        """Forget a ring."""
        ring = self._rings.pop(channel, None)
        if ring is not None:
            self._bytes -= ring.bytes

    async def _load(self, placement: Placement) -> Ring:
        self._heard[placement.channel] = -1
        try:
            ring = await self._read_ring(placement)
            heard = self._heard[placement.channel]
        except LogError as fault:
            raise TryAgain("service_away", f"the log does not answer: {fault}") from fault
        finally:
            del self._heard[placement.channel]
        self.drop(placement.channel)
        self._rings[placement.channel] = ring
        self._bytes += ring.bytes
        self._trim()
        if heard > ring.head:
            self._tasks.spawn(self._heal_or_say(ring, heard), name="relay.heal")
        return ring

    async def _read_ring(self, placement: Placement) -> Ring:
        ends = await self.reader.ends(placement)
        self._check_floor(placement, placement.id_of(ends.next) - 1)
        lowest = max(placement.id_of(ends.first), placement.base_id)
        first = placement.id_of(ends.next) - RING_ENTRIES
        ring = Ring(placement, start=start_of(placement, lowest=lowest, first=first), lowest=lowest)
        async for stored in self.reader.records(
            placement, ring.head + 1, placement.id_of(ends.next)
        ):
            ring.offer(placement.id_of(stored.offset), stored.value, stored.at_ms)
        return ring

    async def _heal(self, ring: Ring) -> None:
        place = ring.placement
        is_more = True
        while is_more:
            batch = await self.reader.some(place, ring.head + 1)
            before = ring.head
            self._offer(ring, [(place.id_of(s.offset), s.value, s.at_ms) for s in batch])
            HEALED.inc(ring.head - before)
            is_more = len(batch) == READ_RECORDS_MAX

    async def _heal_or_say(self, ring: Ring, until: int) -> None:
        try:
            await self.heal(ring, until)
        except TryAgain as fault:
            _log.warning("gap stays until the next reconcile", fault=str(fault))

    def _offer(self, ring: Ring, records: Sequence[tuple[int, bytes | None, int]]) -> News:
        before, size = ring.head, ring.bytes
        news = News.OLD
        for ident, raw, at_ms in records:
            news = ring.offer(ident, raw, at_ms)
            # Published in pieces: a ring forgets what is older than its bound.
            if ring.head - before >= FRAME_ENTRIES_MAX:
                self._publish(ring, before)
                before = ring.head
        self._publish(ring, before)
        if self._rings.get(ring.placement.channel) is ring:
            self._bytes += ring.bytes - size
            self._trim()
        return news

    def _publish(self, ring: Ring, after: int) -> None:
        channel = ring.placement.channel
        if ring.head == after or channel not in self._hub.watchers:
            return
        if self._rings.get(channel) is not ring:
            return  # Another ring speaks for the channel by now.
        grown: Sequence[Entry] = ring.after(after, FRAME_ENTRIES_MAX)
        frame = Appended(channel, ring.placement.epoch, tuple(grown))
        self._hub.publish(channel, frames.encode(frame))

    def _check_floor(self, placement: Placement, end: int) -> None:
        epoch, known = self._floors.get(placement.channel, (0, 0))
        if epoch == placement.epoch and end < known:
            raise _cut_back(placement, known, end)
        self._floors.pop(placement.channel, None)

    def _refuse(self, ring: Ring, known: int, end: int) -> None:
        place = ring.placement
        REFUSED.inc()
        _log.error("channel refused", channel=place.channel, known_head=known, end=end)
        self._floors[place.channel] = place.epoch, known
        self._give_up(ring)
        raise _cut_back(place, known, end)

    def _give_up(self, ring: Ring) -> None:
        """Nobody is served from this ring any more; who watches is told to ask again."""
        channel = ring.placement.channel
        if self._rings.get(channel) is not ring:
            return
        self.drop(channel)
        self._hub.publish(channel, frames.encode(Unwatched(channel, "service_away")))
        self._hub.forget(channel)

    def _trim(self) -> None:
        """Least used rings go, the last one never; watched ones keep their newest entries."""
        if self._bytes > self._trim_at:
            for channel in list(islice(self._rings, len(self._rings) - 1)):
                if self._bytes <= self._bytes_max:
                    break
                self._shrink(channel)
            self._trim_at = max(self._bytes_max, self._bytes + self._bytes_max // TRIM_EVERY)
        RINGS.set(len(self._rings))
        RING_BYTES.set(self._bytes)

    def _shrink(self, channel: str) -> None:
        if channel not in self._hub.watchers:
            self.drop(channel)
            return
        ring = self._rings[channel]
        self._bytes -= ring.bytes
        ring.shrink(ENTRIES_KEPT)
        self._bytes += ring.bytes


def _cut_back(placement: Placement, known: int, end: int) -> TryAgain:
    what = f"the log of {placement.channel} ends at {end}, below {known}, which was there before"
    return TryAgain("service_away", f"{what}; its operator must act", retry_after_s=1)
