"""`GET /v1/channels/{channel}/poll` as the framework sees it: its query, and its description.

Polls are served by `poll_lane`, before a request gets here.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, TypeAdapter, ValidationError

from libs.wire.api import Access
from libs.wire.codes import Refused
from libs.wire.ids import is_id

from ..access import refusal
from ..poll_lane import Wish
from ..settings import Settings
from ..tokens import Tokens, bearer
from .shapes import PollAnswer

WAIT_S = 25
# Those who wait for the same send the same query. A longer one than clients need is not kept.
QUERIES_KEPT = 1_024
QUERY_KEPT_BYTES = 128


def poll_wishes(settings: Settings) -> Callable[[bytes], Wish]:
    """What reads a raw query: of a name that is given twice the last counts, names that are not
    known are skipped. It raises `Refused` (`field_invalid`)."""
    seconds = TypeAdapter(Annotated[float, Field(ge=0, le=settings.wait_s_max)])

    def read(query: bytes) -> Wish:
        given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        try:
            wait_s = seconds.validate_python(given.get("wait", WAIT_S))
        except ValidationError as fault:
            said = fault.errors()[0]["msg"]
            raise Refused("field_invalid", f"wait: {said}", field="wait") from fault
        return Wish(given.get("after"), wait_s)

    kept = lru_cache(QUERIES_KEPT)(read)
    return lambda query: (kept if len(query) <= QUERY_KEPT_BYTES else read)(query)


def poll_routes(tokens: Tokens, settings: Settings) -> APIRouter:
    """The poll route, for the document, and for what is asked as no poll is."""
    router = APIRouter()

    @router.get(
        "/v1/channels/{channel}/poll",
        tags=["listen"],
        summary="Wait for what comes after a cursor",
        response_model=PollAnswer,
    )
    async def poll(
        request: Request,
        channel: str,
        after: Annotated[
            str | None, Query(description="Cursor as received; none: where the channel is now")
        ] = None,
        wait: Annotated[
            float, Query(ge=0, le=settings.wait_s_max, description="Seconds to wait at most")
        ] = WAIT_S,
    ) -> Response:
        checked = await tokens.checked(bearer(request.headers.get("authorization")))
        if not is_id(channel):
            raise refusal(Access(checked.person.user, channel, refusal="channel_unknown"))
        raise Refused(
            "field_invalid",
            "a poll is a GET with no body, no Expect, no WebSocket and no escapes in its path",
        )

    return router
