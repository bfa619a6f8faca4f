"""Members: who joins, leaves, is added, given a role, removed or banned."""

from dataclasses import dataclass

from libs.wire.api import Pair
from libs.wire.codes import Refused
from libs.wire.cursor import Cursor
from libs.wire.records import Ban, Membership, Record, Role, RoleGiven

from .access import Seen, check_reads
from .channels import Room
from .model import (
    Standing,
    check_gives,
    check_may_go,
    check_rules,
    check_rules_over,
)
from .rows import Place
from .store import members_key


@dataclass(frozen=True)
class Member:
    """Somebody in a channel. `joined_ms`: UTC milliseconds, in lists only."""

    user: str
    role: Role
    joined_ms: int | None = None


@dataclass(frozen=True)
class Joined:
    """The role, and the cursor to start from."""

    role: Role
    cursor: str


async def join(room: Room, user: str, channel: str) -> Joined:
    """The user is in the channel; joining again changes nothing."""
    seen = await room.desk.look(user, channel)
    check_reads(seen.standing)
    if seen.standing.role is None:
        await room.journal.write(_membership(room, channel, user, joined=True))
        seen = await room.desk.look(user, channel)
        # A ban may have come in between, and beats the membership.
        check_reads(seen.standing)
    (head,) = await room.claims.heads([seen.placement])
    return Joined(seen.standing.role or "member", str(Cursor(seen.placement.epoch, head)))


async def leave(room: Room, user: str, channel: str) -> None:
    """The user is not in the channel; leaving again changes nothing."""
    seen = await room.desk.look(user, channel)
    check_may_go(seen.standing)
    await _end(room, seen.standing, by=user)


async def change(room: Room, asker: str, target: Pair, role: Role) -> Member:
    """The target is a member with that role."""
    own, other = await _both(room, asker, target)
    check_gives(own, other, role)
    records: list[Record] = []
    # The role first: nobody is more, for a moment, than they are meant to be.
    if (other.given or "member") != role:
        records.append(_role(other, by=asker, role=role))
    if not other.joined:
        records.append(_membership(room, target.channel, target.user, joined=True))
    await room.journal.write(*records)
    after = (await room.desk.look(target.user, target.channel)).standing
    check_reads(after)
    return Member(target.user, after.role or role)


async def remove(room: Room, asker: str, target: Pair) -> None:
    """The target is no member. Raises `Refused` (`member_unknown`) when it was none."""
    if asker == target.user:
        await leave(room, asker, target.channel)
        return
    own, other = await _both(room, asker, target)
    check_rules_over(own, other)
    if not other.joined:
        raise Refused("member_unknown", "this user is not in the channel")
    await _end(room, other, by=asker)


async def ban(room: Room, asker: str, target: Pair) -> None:
    """The target may do nothing here until the ban is lifted, and is no member then."""
    own, other = await _both(room, asker, target)
    # What an admin was before an earlier ban no longer protects from this one.
    check_rules_over(own, other)
    if not other.banned:
        await room.journal.write(_ban(other, by=asker, banned=True))
    await _end(room, other, by=asker)


async def lift(room: Room, asker: str, target: Pair) -> None:
    """The target is not banned; lifting again changes nothing."""
    own, other = await _both(room, asker, target)
    check_rules(own)
    if other.banned:
        await room.journal.write(_ban(other, by=asker, banned=False))


async def page(
    room: Room, asker: str, channel: str, *, after: Place | None, limit: int
) -> tuple[list[Member], Place | None]:
    """Members, longest first, and where the next page begins. In a broadcast for admins only."""
    own = (await room.desk.look(asker, channel)).standing
    check_reads(own)
    if own.role is None:
        raise Refused("access_denied", "only members see who is in the channel")
    if own.channel.claim.kind == "broadcast":
        check_rules(own)
    places = await room.rows.page(members_key(channel), after, limit + 1)
    shown = places[:limit]
    seen = await room.desk.look_at(channel, *(place.item for place in shown)) if shown else []
    members = [
        Member(place.item, one.standing.role, place.at_ms)
        for place, one in zip(shown, seen, strict=True)
        if one.standing.role is not None
    ]
    return members, shown[-1] if len(places) > limit else None


async def _both(room: Room, asker: str, target: Pair) -> tuple[Standing, Standing]:
    seen: list[Seen] = await room.desk.look_at(target.channel, asker, target.user)
    own, other = (one.standing for one in seen)
    check_reads(own)
    return own, other


async def _end(room: Room, who: Standing, *, by: str) -> None:
    """End a membership. An admin comes back as a member; a restriction outlasts leaving."""
    channel = who.channel.claim.channel
    records: list[Record] = []
    if who.given == "admin":
        records.append(_role(who, by=by, role="member"))
    if who.joined:
        records.append(_membership(room, channel, who.user, joined=False))
    await room.journal.write(*records)


def _membership(room: Room, channel: str, user: str, *, joined: bool) -> Membership:
    return Membership(channel=channel, user=user, joined=joined, at_ms=room.clock.now_ms())


def _role(who: Standing, *, by: str, role: Role) -> RoleGiven:
    return RoleGiven(channel=who.channel.claim.channel, user=who.user, by=by, role=role)


def _ban(who: Standing, *, by: str, banned: bool) -> Ban:
    return Ban(channel=who.channel.claim.channel, user=who.user, by=by, banned=banned)
