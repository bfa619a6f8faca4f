"""What a follower yields. Each event but `Ended` has the `cursor` behind it: whoever keeps that
goes on after the event."""

import msgspec

from rostrum.model import Entry


class _Event(msgspec.Struct, frozen=True):
    """Something that happened in one channel."""

    channel: str


class Received(_Event, frozen=True):
    """The next entry: its id is the last one + 1, and it comes once. `head` is the last id that the
    channel was known to have then: how far behind you are."""

    entry: Entry
    cursor: str
    head: int


class Jumped(_Event, frozen=True):
    """You were too far behind, by `unread` entries: it goes on after `cursor`. What was left out is
    in the pages of the channel, from `first`, the lowest id that is kept."""

    cursor: str
    unread: int
    head: int
    first: int


class WasReset(_Event, frozen=True):
    """The channel's ids began anew, in `epoch`: forget those from before. It goes on after
    `cursor`; the pages have what is kept of the new ones, from `first` to `head`."""

    cursor: str
    epoch: int
    head: int
    first: int


class Ended(_Event, frozen=True):
    """The channel is followed no more, because you may not read it or there is none. `code` is for
    programs (`docs/generated/codes.md`), `detail` for people."""

    code: str
    detail: str


Event = Received | Jumped | WasReset | Ended
# Those behind which a follower can go on.
Placed = Received | Jumped | WasReset
