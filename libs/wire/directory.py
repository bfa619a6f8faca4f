"""The fold of `channel-directory`: which channel owns which partition, by the order of the claims.

Several services hold it for every channel that exists, so a channel is two numbers: its id, and its
placement packed into one. Measured by a test: at most 150 bytes a channel.
"""

from collections.abc import Iterator
from typing import NamedTuple, get_args

from libs.wire.cursor import ID_MAX
from libs.wire.ids import is_id, to_bytes
from libs.wire.records import Claim, Kind, Visibility
from libs.wire.topics import POOL_PARTITIONS_MAX, pool_number

_KINDS: tuple[Kind, ...] = get_args(Kind)
_VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)

# A packed placement, from the lowest bit: visibility, kind, partition, pool, and all above them the
# offset of the claim. A test holds that the bounds of `topics` and the choices of `records` fit.
VISIBILITY_BITS = 1
KIND_BITS = 2
PARTITION_BITS = 10
POOL_BITS = 10


class Placement(NamedTuple):
    """Where a channel's entries are: from `base_offset` of the partition on, which has `base_id`.

    `claim_offset` is the position of the claim in `channel-directory`: a reader that has not come
    beyond it does not know this placement yet.
    """

    channel: str
    epoch: int
    topic: str
    partition: int
    base_offset: int
    base_id: int
    kind: Kind
    visibility: Visibility
    claim_offset: int

    def id_of(self, offset: int) -> int:
        """The entry id of an offset in the partition; below `base_id` it is not this channel's."""
        return self.base_id + (offset - self.base_offset)

    def offset_of(self, ident: int) -> int:
        """The offset of an entry id."""
        return self.base_offset + (ident - self.base_id)


class _Extent(NamedTuple):
    """Where ids begin. Nearly all channels are in their first epoch: id 1 is at offset 0."""

    epoch: int
    base_offset: int
    base_id: int


_FIRST = _Extent(epoch=1, base_offset=0, base_id=1)


class _Pool:
    """A pool topic's name, and for each partition whether a claim took it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.taken = bytearray(POOL_PARTITIONS_MAX)


class Directory:
    """Claims in, placements out. Two folds of one sequence answer alike."""

    def __init__(self) -> None:
        self._packed: dict[int, int] = {}
        self._extents: dict[int, _Extent] = {}
        self._pools: dict[int, _Pool] = {}
        self._next = 0

    @property
    def next_offset(self) -> int:
        """The position after the last claim that was applied, valid or not."""
        return self._next

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return len(self._packed)

    def apply(self, offset: int, claim: Claim) -> bool:
        """Fold the claim at `offset` of `channel-directory`; True if it is valid and counts.

        It is not if the partition is taken (a partition is never given back), the channel has this
        epoch or a higher one, or a field makes no sense. Claims come in order: one below
        `next_offset` was folded before, and is left alone (False).
        """
        if offset < self._next:
            return False
        self._next = offset + 1
        pool = _pool_of(claim)
        if pool is None or not _is_sane(claim) or self.is_taken(pool, claim.partition):
            return False
        number = _number(claim.channel)
        if number is None or claim.epoch <= self._epoch(number):
            return False
        self._take(pool, claim, number)
        self._packed[number] = _pack(pool, claim, offset)
        return True

    def find(self, channel: str) -> Placement | None:
        """The placement of a channel's present epoch; None of an unknown one, or of no id."""
        number = _number(channel)
        packed = None if number is None else self._packed.get(number)
        if number is None or packed is None:
            return None
        packed, visibility = _split(packed, VISIBILITY_BITS)
        packed, kind = _split(packed, KIND_BITS)
        packed, partition = _split(packed, PARTITION_BITS)
        claim_offset, pool = _split(packed, POOL_BITS)
        extent = self._extents.get(number, _FIRST)
        return Placement(
            channel=channel,
            epoch=extent.epoch,
            topic=self._pools[pool].name,
            partition=partition,
            base_offset=extent.base_offset,
            base_id=extent.base_id,
            kind=_KINDS[kind],
            visibility=_VISIBILITIES[visibility],
            claim_offset=claim_offset,
        )

    def is_taken(self, pool: int, partition: int) -> bool:
        """Whether a claim took the partition (0 .. `POOL_PARTITIONS_MAX` - 1) of the pool."""
        known = self._pools.get(pool)
        return known is not None and known.taken[partition] == 1

    def taken(self, pool: int) -> frozenset[int]:
        """The partitions of the pool that a claim took, present epochs and earlier ones."""
        return frozenset(self._taken(pool))

    def _taken(self, pool: int) -> Iterator[int]:
        known = self._pools.get(pool)
        flags = b"" if known is None else known.taken
        return (partition for partition, flag in enumerate(flags) if flag)

    def _epoch(self, number: int) -> int:
        """The channel's present epoch; 0 of one that has no claim yet."""
        if number not in self._packed:
            return 0
        return self._extents.get(number, _FIRST).epoch

    def _take(self, pool: int, claim: Claim, number: int) -> None:
        if pool not in self._pools:
            self._pools[pool] = _Pool(claim.topic)
        self._pools[pool].taken[claim.partition] = 1
        extent = _Extent(claim.epoch, claim.base_offset, claim.base_id)
        if extent != _FIRST:
            self._extents[number] = extent


def _number(channel: str) -> int | None:
    """A channel id as its 128-bit number, which takes less memory than its text or bytes."""
    return int.from_bytes(to_bytes(channel)) if is_id(channel) else None


def _pool_of(claim: Claim) -> int | None:
    try:
        return pool_number(claim.topic)
    except ValueError:
        return None


def _is_sane(claim: Claim) -> bool:
    return (
        0 <= claim.partition < POOL_PARTITIONS_MAX
        and 1 <= claim.epoch <= ID_MAX
        and 0 <= claim.base_offset <= ID_MAX
        and 1 <= claim.base_id <= ID_MAX
    )


def _pack(pool: int, claim: Claim, offset: int) -> int:
    packed = offset << POOL_BITS | pool
    packed = packed << PARTITION_BITS | claim.partition
    packed = packed << KIND_BITS | _KINDS.index(claim.kind)
    return packed << VISIBILITY_BITS | _VISIBILITIES.index(claim.visibility)


def _split(packed: int, bits: int) -> tuple[int, int]:
    """What stands above the lowest `bits` bits, and what they hold."""
    return packed >> bits, packed & ((1 << bits) - 1)
