"""A channel in the log: by its id or handle, its place, its ends, its claim."""

from collections.abc import AsyncIterator
from typing import NamedTuple, cast

from cli.show import Trouble
from cli.survey import directory
from libs.log.port import READ_RECORDS_MAX, Ends, Inspection, Partition, Stored
from libs.wire.codec import Malformed
from libs.wire.directory import Placement
from libs.wire.ids import is_id
from libs.wire.records import Claim, NameClaim, Record, decode
from libs.wire.topics import DIRECTORY, NAMES


class Found(NamedTuple):
    """A channel's place, and what its partition holds now."""

    placement: Placement
    ends: Ends

    @property
    def partition(self) -> Partition:
        """Where its entries are."""
        return Partition(self.placement.topic, self.placement.partition)

    @property
    def head(self) -> int:
        """The last id; `base_id - 1` of one without entries in this epoch."""
        return self.placement.id_of(self.ends.next) - 1

    @property
    def first(self) -> int:
        """The lowest id that is kept; `head + 1` when none is."""
        return max(self.placement.base_id, self.placement.id_of(self.ends.first))


async def find(log: Inspection, name: str) -> Found:
    """The channel with an id or a handle. Raises `Trouble` when there is none, `LogError`."""
    channel = name if is_id(name) else await _owner(log, name.removeprefix("@").lower())
    placement = (await directory(log)).find(channel)
    if placement is None:
        raise Trouble(f"there is no channel {name}; its id is in the answer that created it")
    partition = Partition(placement.topic, placement.partition)
    return Found(placement, (await log.ends([partition]))[partition])


async def claim_of(log: Inspection, found: Found) -> tuple[Claim, int]:
    """The claim that placed it, and when (UTC milliseconds). Raises `LogError`."""
    place = Partition(DIRECTORY.name, 0)
    (stored,) = await log.read(place, found.placement.claim_offset, limit=1)
    return cast(Claim, decode(stored.value)), stored.at_ms


async def records(log: Inspection, partition: Partition) -> AsyncIterator[Record]:
    """The records of a partition that can be read, to its present end. Raises `LogError`."""
    ends = (await log.ends([partition]))[partition]
    start = ends.first
    while start < ends.next:
        page = await log.read(partition, start, limit=READ_RECORDS_MAX)
        if not page:
            return
        start = page[-1].offset + 1
        for stored in page:
            record = _decoded(stored)
            if record is not None:
                yield record


def _decoded(stored: Stored) -> Record | None:
    try:
        return decode(stored.value)
    except Malformed:
        # As the services do: what cannot be read counts for nobody.
        return None


async def _owner(log: Inspection, handle: str) -> str:
    """The channel whose claim of the handle was first."""
    async for record in records(log, Partition(NAMES.name, 0)):
        if isinstance(record, NameClaim) and record.handle == handle:
            if record.owner_kind != "channel":
                raise Trouble(f"@{handle} is a person, not a channel; name a channel")
            return record.owner
    raise Trouble(f"nothing has the handle {handle!r}; name a channel's id or its handle")
