"""Routes of members and bans."""

from fastapi import APIRouter

from libs.runtime.web import Asker
from libs.wire.api import Pair

from .. import members
from ..channels import Room
from .shapes import (
    LIMIT,
    BanShape,
    ChannelPath,
    JoinedShape,
    Limit,
    MemberPage,
    MemberShape,
    Next,
    RoleWish,
    UserPath,
    place,
    token,
)


def member_routes(room: Room) -> APIRouter:
    """Join, leave, list, add, remove."""
    router = APIRouter(prefix="/v1/channels/{channel}/members", tags=["members"])

    @router.get("", summary="List members")
    async def listed(
        asker: Asker, channel: ChannelPath, after: Next = None, limit: Limit = LIMIT
    ) -> MemberPage:
        found, following = await members.page(
            room, asker.user, channel, after=place(after), limit=limit
        )
        return MemberPage(items=[MemberShape.of(one) for one in found], next=token(following))

    @router.put("/me", summary="Join")
    async def join(asker: Asker, channel: ChannelPath) -> JoinedShape:
        joined = await members.join(room, asker.user, channel)
        return JoinedShape(role=joined.role, cursor=joined.cursor)

    @router.delete("/me", status_code=204, summary="Leave")
    async def leave(asker: Asker, channel: ChannelPath) -> None:
        await members.leave(room, asker.user, channel)

    @router.put("/{user}", summary="Add a member, or give one a role")
    async def change(
        asker: Asker, channel: ChannelPath, user: UserPath, body: RoleWish
    ) -> MemberShape:
        member = await members.change(room, asker.user, Pair(user, channel), body.role)
        return MemberShape.of(member)

    @router.delete("/{user}", status_code=204, summary="Remove a member")
    async def remove(asker: Asker, channel: ChannelPath, user: UserPath) -> None:
        await members.remove(room, asker.user, Pair(user, channel))

    return router


def ban_routes(room: Room) -> APIRouter:
    """Ban and lift."""
    router = APIRouter(prefix="/v1/channels/{channel}/bans", tags=["members"])

    @router.put("/{user}", summary="Ban a user")
    async def ban(asker: Asker, channel: ChannelPath, user: UserPath) -> BanShape:
        await members.ban(room, asker.user, Pair(user, channel))
        return BanShape(user=user, banned=True)

    @router.delete("/{user}", status_code=204, summary="Lift a ban")
    async def lift(asker: Asker, channel: ChannelPath, user: UserPath) -> None:
        await members.lift(room, asker.user, Pair(user, channel))

    return router
