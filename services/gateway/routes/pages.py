"""`GET /v1/channels/{channel}/messages`: pages of history."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from libs.wire.api import Page
from libs.wire.codes import Refused
from libs.wire.cursor import ID_MAX

from ..access import AccessMemory
from ..clients import Pages, encoded
from ..feed import Feed
from ..hub import Room
from ..limits import Limits
from ..tokens import Tokens
from .shapes import PageAnswer

LIMIT_MAX = 100

Place = Annotated[int | None, Query(ge=0, le=ID_MAX, description="An entry id")]


def page_routes(
    tokens: Tokens, access: AccessMemory, feed: Feed, *, pages: Pages, limits: Limits
) -> APIRouter:
    """The page route."""
    router = APIRouter()

    @router.get(
        "/v1/channels/{channel}/messages",
        tags=["listen"],
        summary="A page: after, before or around an id; none of them: the latest",
        response_model=PageAnswer,
    )
    async def messages(
        request: Request,
        channel: str,
        *,
        after: Place = None,
        before: Place = None,
        around: Place = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_MAX,
    ) -> Response:
        person = await tokens.person(request.headers.get("authorization"))
        grant = await access.grant(person.user, channel)
        limits.page(person.session, channel)
        room = await feed.room(grant.access)
        start, count = span(room, limit, after=after, before=before, around=around)
        page = await pages.read(grant.access, start, count)
        forward = after is not None or around is not None
        return Response(_body(room, page, forward=forward), media_type="application/json")

    return router


def span(
    room: Room, limit: int, *, after: int | None, before: int | None, around: int | None
) -> tuple[int, int]:
    """First id and number of entries of the page that was asked for. Raises `Refused` when it was
    asked for in two ways."""
    if sum(place is not None for place in (after, before, around)) > 1:
        raise Refused(
            "field_invalid", "send one of after, before and around, not several", field="after"
        )
    if after is not None:
        return max(after + 1, room.first), limit
    if around is not None:
        return max(around - limit // 2, room.first), limit
    end = room.head if before is None else min(before - 1, room.head)
    start = max(end - limit + 1, room.first)
    return start, max(end - start + 1, 0)


def _body(room: Room, page: Page, *, forward: bool) -> bytes:
    head = max(room.head, page.head)
    last = page.entries[-1].id if page.entries else head
    begins = page.entries[0].id if page.entries else page.first
    more = last < head if forward else begins > page.first
    return b'{"entries":[%b],"cursor":"%d-%d","head":%d,"first":%d,"more":%b}' % (
        b",".join(encoded(page)),
        room.epoch,
        last,
        head,
        page.first,
        b"true" if more else b"false",
    )
