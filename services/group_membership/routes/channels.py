"""Routes of channels."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from libs.runtime.web import Asker

from .. import channels
from ..channels import Room
from .shapes import (
    HANDLE_PATTERN,
    LIMIT,
    ChannelChange,
    ChannelPage,
    ChannelPath,
    ChannelShape,
    Limit,
    NewChannel,
    Next,
    place,
    token,
)


def channel_routes(room: Room) -> APIRouter:
    """Create, show, find, change, list."""
    router = APIRouter(tags=["channels"])

    @router.post(
        "/v1/channels",
        status_code=201,
        summary="Create a channel",
        responses={200: {"model": ChannelShape, "description": "It was there already"}},
    )
    async def create(asker: Asker, body: NewChannel, response: Response) -> ChannelShape:
        shown, is_new = await channels.create(room, asker.user, body.wish())
        if not is_new:
            response.status_code = 200
        return ChannelShape.of(shown)

    @router.get("/v1/channels", summary="Find a channel by its handle")
    async def find(
        asker: Asker, handle: Annotated[str, Query(pattern=HANDLE_PATTERN)]
    ) -> ChannelPage:
        shown = await channels.by_handle(room, asker.user, handle)
        return ChannelPage(items=[ChannelShape.of(one) for one in shown], next=None)

    @router.get("/v1/channels/{channel}", summary="Show a channel")
    async def show(asker: Asker, channel: ChannelPath) -> ChannelShape:
        return ChannelShape.of(await channels.show(room, asker.user, channel))

    @router.patch("/v1/channels/{channel}", summary="Change a channel's settings")
    async def change(asker: Asker, channel: ChannelPath, body: ChannelChange) -> ChannelShape:
        return ChannelShape.of(await channels.change(room, asker.user, channel, body.change()))

    @router.get("/v1/me/channels", summary="List your channels")
    async def mine(asker: Asker, after: Next = None, limit: Limit = LIMIT) -> ChannelPage:
        shown, following = await channels.mine(room, asker.user, place(after), limit)
        return ChannelPage(items=[ChannelShape.of(one) for one in shown], next=token(following))

    return router
