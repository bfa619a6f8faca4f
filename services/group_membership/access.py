"""What a user may do in a channel: the placement from the directory, the rest from the view."""

from collections.abc import Sequence
from typing import NamedTuple

from libs.runtime.directory import DirectoryReader
from libs.wire.api import Access, Pair
from libs.wire.codes import Refused, TryAgain, problem
from libs.wire.directory import Placement

from .model import Standing
from .rows import Found, Rows, rebuilding

UNKNOWN = Refused("channel_unknown", "there is no channel with this id")


class Seen(NamedTuple):
    """A user in a channel, and where the channel is."""

    placement: Placement
    standing: Standing


class Desk:
    """Answers who may do what."""

    def __init__(self, directory: DirectoryReader, rows: Rows) -> None:
        self._directory = directory
        self._rows = rows

    async def answer(self, pairs: Sequence[Pair]) -> tuple[Access, ...]:
        """One answer per pair, in order; those that cannot be given say `rebuilding`."""
        has_read = await self._read_unknown(pairs)
        placements = [self._directory.fold.find(pair.channel) for pair in pairs]
        known = [pair for pair, place in zip(pairs, placements, strict=True) if place is not None]
        found = dict(zip(known, await self._rows.find(known), strict=True))
        unknown = UNKNOWN.code.name if has_read else rebuilding().code.name
        return tuple(
            Access(pair.user, pair.channel, refusal=unknown)
            if placement is None
            else _access(pair, placement, found[pair])
            for pair, placement in zip(pairs, placements, strict=True)
        )

    async def look(self, user: str, channel: str) -> Seen:
        """The user's standing. Raises `Refused` (`channel_unknown`), `TryAgain`."""
        return (await self.look_at(channel, user))[0]

    async def look_at(self, channel: str, *users: str) -> list[Seen]:
        """The standing of each user. Raises `Refused` (`channel_unknown`), `TryAgain`."""
        placement = await self._directory.find(channel)
        if placement is None:
            raise Refused(UNKNOWN.code.name, UNKNOWN.detail)
        found = await self._rows.find([Pair(user, channel) for user in users])
        return [Seen(placement, _sure(one)) for one in found]

    async def look_from(self, user: str, channels: Sequence[str]) -> list[Seen]:
        """The user's standing in each of the channels that exist."""
        placements = [self._directory.fold.find(channel) for channel in channels]
        known = [placement for placement in placements if placement is not None]
        found = await self._rows.find([Pair(user, placement.channel) for placement in known])
        return [Seen(placement, _sure(one)) for placement, one in zip(known, found, strict=True)]

    async def _read_unknown(self, pairs: Sequence[Pair]) -> bool:
        """Read the directory to its end if a channel is not in what is read. False: no answer."""
        if all(self._directory.fold.find(pair.channel) is not None for pair in pairs):
            return True
        try:
            await self._directory.refresh()
        except TryAgain:
            return False
        return True


def check_reads(standing: Standing) -> None:
    """Raises the `Problem` that keeps the user out."""
    if standing.refusal == "banned":
        raise Refused("banned", "an admin of the channel banned you; only they can lift it")
    if standing.refusal is not None:
        raise problem(standing.refusal, "join the channel, or ask one of its admins to add you")


def _sure(found: Found) -> Standing:
    if found.standing is None or not found.settled:
        raise rebuilding()
    return found.standing


def _access(pair: Pair, placement: Placement, found: Found) -> Access:
    standing = found.standing
    # A ban that was found is a no, however much is still to be read. All else waits for the rest.
    is_sure = standing is not None and (found.settled or standing.banned)
    if standing is None or not is_sure:
        return Access(pair.user, pair.channel, refusal=rebuilding().code.name)
    return Access(
        user=pair.user,
        channel=pair.channel,
        role=standing.role,
        may_read=standing.may_read,
        may_post=standing.may_post,
        epoch=placement.epoch,
        claim_offset=placement.claim_offset,
        topic=placement.topic,
        slow_mode_s=standing.slow_mode_s,
        refusal=standing.refusal,
    )
