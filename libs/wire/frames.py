"""Frames of the link between a gateway and a relay: msgpack arrays, their kind first.

The gateway watches channels; the relay answers a watch with one `Snapshot` and sends `Appended`
whenever the channel grows. A gateway takes an entry only if its id is head + 1; anything else is a
gap, which it fetches. Watches are per gateway, not per client.
"""

from libs.wire.codec import Struct, pack, unpack
from libs.wire.entries import Entry

FRAME_BYTES_MAX = 1 << 20
SNAPSHOT_ENTRIES_MAX = 256


class Watch(Struct, frozen=True, array_like=True, tag="watch"):
    """Tell me what comes after `after` (an id; -1: whatever is newest)."""

    channel: str
    claim_offset: int
    after: int


class Unwatch(Struct, frozen=True, array_like=True, tag="unwatch"):
    """No more of this channel."""

    channel: str


class Snapshot(Struct, frozen=True, array_like=True, tag="snapshot"):
    """Where the channel is: `entries` are the newest ones (at most `SNAPSHOT_ENTRIES_MAX`), rising
    by one up to `head`; `first` is the lowest id that is kept anywhere."""

    channel: str
    epoch: int
    head: int
    first: int
    entries: tuple[Entry, ...]


class Appended(Struct, frozen=True, array_like=True, tag="appended"):
    """Entries that were appended, rising by one."""

    channel: str
    epoch: int
    entries: tuple[Entry, ...]


class Unwatched(Struct, frozen=True, array_like=True, tag="unwatched"):
    """The relay cannot watch this channel; `code` says why (`channel_unknown`, `service_away`)."""

    channel: str
    code: str


class Beat(Struct, frozen=True, array_like=True, tag="beat"):
    """The relay lives; `reconciled_ms` (UTC) is when it last compared its heads with the log."""

    reconciled_ms: int


ToRelay = Watch | Unwatch
ToGateway = Snapshot | Appended | Unwatched | Beat


def encode(frame: ToRelay | ToGateway) -> bytes:
    """A frame's bytes."""
    return pack(frame)


def to_relay(raw: bytes) -> ToRelay:
    """A frame that a gateway sent. Raises `Malformed`."""
    return unpack(raw, ToRelay)  # type: ignore[arg-type]


def to_gateway(raw: bytes) -> ToGateway:
    """A frame that a relay sent. Raises `Malformed`."""
    return unpack(raw, ToGateway)  # type: ignore[arg-type]
