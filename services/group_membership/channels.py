"""Channels: created, shown, found, listed."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.log.port import Partition
from libs.runtime.clock import Clock
from libs.runtime.directory import DirectoryReader
from libs.runtime.view import View
from libs.wire.codes import Refused, TryAgain
from libs.wire.cursor import Cursor
from libs.wire.directory import Placement
from libs.wire.records import ChannelSettings, Kind, Membership, Posting, Record, Role, Visibility
from libs.wire.roles import DEFAULT_POSTING
from libs.wire.topics import DIRECTORY

from .access import Desk, Seen, check_reads
from .claims import Claims
from .handles import Handles
from .journal import Journal
from .model import Change, Draft, Wish, changed, draft
from .pools import Pools
from .rows import Place, Rows
from .settings import Settings
from .store import channels_key


@dataclass(frozen=True)
class Shown:
    """A channel as somebody sees it. `head`: the last id; `cursor`: everything up to it."""

    id: str
    kind: Kind
    title: str
    visibility: Visibility
    posting: Posting
    slow_mode_s: int
    handle: str | None
    role: Role | None
    epoch: int
    head: int
    cursor: str


@dataclass(frozen=True)
class Room:
    """What the handlers of this service work with."""

    settings: Settings
    clock: Clock
    directory: DirectoryReader
    view: View
    rows: Rows
    desk: Desk
    journal: Journal
    handles: Handles
    pools: Pools
    claims: Claims


async def create(room: Room, owner: str, wish: Wish) -> tuple[Shown, bool]:
    """The channel, and whether this call made it. The claim is written last: until it is there,
    nothing of the channel shows, and the same call again completes what one left."""
    wanted = draft(owner, wish)
    placement, is_new = await room.directory.find(wanted.channel), False
    if placement is None:
        placement, is_new = await _make(room, wanted, wish)
    await room.view.reached(Partition(DIRECTORY.name, 0), placement.claim_offset)
    seen = await room.desk.look(owner, wanted.channel)
    if seen.standing.channel.claim.kind != wanted.kind:
        raise Refused(
            "client_id_reused", "another kind of channel has this client_id", field="client_id"
        )
    return (await show_all(room, [seen]))[0], is_new


async def show(room: Room, user: str, channel: str) -> Shown:
    """The channel, for one who may read it."""
    seen = await room.desk.look(user, channel)
    check_reads(seen.standing)
    return (await show_all(room, [seen]))[0]


async def change(room: Room, user: str, channel: str, wanted: Change) -> Shown:
    """The channel with its new settings. Of two changes at once the one that is later in the log
    counts whole: a settings record stands for itself, for compaction keeps only the last one."""
    seen = await room.desk.look(user, channel)
    check_reads(seen.standing)
    await room.journal.write(changed(seen.standing, wanted))
    return await show(room, user, channel)


async def by_handle(room: Room, user: str, handle: str) -> list[Shown]:
    """The channel that has the handle, if the user may read it: at most one."""
    channel = await room.handles.channel(handle)
    if channel is None:
        return []
    seen = await room.desk.look_from(user, [channel])
    return await show_all(room, [one for one in seen if one.standing.may_read])


async def mine(
    room: Room, user: str, after: Place | None, limit: int
) -> tuple[list[Shown], Place | None]:
    """The user's channels, oldest membership first, and where the next page begins."""
    places = await room.rows.page(channels_key(user), after, limit + 1)
    page = places[:limit]
    seen = await room.desk.look_from(user, [place.item for place in page])
    shown = await show_all(room, [one for one in seen if one.standing.role is not None])
    return shown, page[-1] if len(places) > limit else None


async def show_all(room: Room, seen: Sequence[Seen]) -> list[Shown]:
    """Channels with their heads, in one question to the log."""
    if not seen:
        return []
    heads = await room.claims.heads([one.placement for one in seen])
    return [_shown(one, head) for one, head in zip(seen, heads, strict=True)]


def _shown(seen: Seen, head: int) -> Shown:
    placement, standing = seen
    return Shown(
        id=placement.channel,
        kind=placement.kind,
        title=standing.channel.title,
        visibility=placement.visibility,
        posting=standing.channel.posting,
        slow_mode_s=standing.channel.slow_mode_s,
        handle=standing.channel.handle,
        role=standing.role,
        epoch=placement.epoch,
        head=head,
        cursor=str(Cursor(placement.epoch, head)),
    )


async def _make(room: Room, wanted: Draft, wish: Wish) -> tuple[Placement, bool]:
    await _check_limits(room, wanted, wish)
    await room.pools.room()
    if wish.handle is not None:
        await room.handles.take(wish.handle, wanted.channel)
    written = await room.journal.append_all(_first_records(wanted, wish, room.clock.now_ms()))
    placement, is_new = await room.claims.place(wanted, room.journal)
    await room.journal.show(written)
    return placement, is_new


async def _check_limits(room: Room, wanted: Draft, wish: Wish) -> None:
    most = room.settings.members_per_request
    if len(wish.members) > most:
        raise Refused("field_invalid", f"name at most {most}; add more later", field="members")
    if await room.rows.owned(wanted.owner) >= room.settings.channels_per_user:
        raise TryAgain(
            "limit_hit",
            f"you created {room.settings.channels_per_user} channels, which is the most",
        )


def _first_records(wanted: Draft, wish: Wish, now_ms: int) -> list[Record]:
    if wanted.kind == "direct":
        return []
    records: list[Record] = [
        Membership(channel=wanted.channel, user=user, joined=True, at_ms=now_ms)
        for user in dict.fromkeys(wish.members)
        if user != wanted.owner
    ]
    posting = wish.posting or DEFAULT_POSTING[wanted.kind]
    is_usual = posting == DEFAULT_POSTING[wanted.kind] and not wish.slow_mode_s
    if wish.handle is not None or not is_usual:
        records.append(
            ChannelSettings(
                channel=wanted.channel,
                title=wanted.title,
                posting=posting,
                handle=wish.handle,
                slow_mode_s=wish.slow_mode_s,
            )
        )
    return records
