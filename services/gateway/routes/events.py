"""`GET /v1/stream` as the framework sees it: its description.

Events are served by `http_events`, before a request gets here.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from libs.wire.codes import Refused

from ..tokens import Tokens, bearer


def event_routes(tokens: Tokens) -> APIRouter:
    """The route of events, for the document, and for what is asked as no stream is."""
    router = APIRouter()

    @router.get(
        "/v1/stream",
        tags=["listen"],
        summary="Follow channels by server-sent events; see docs/protocol.md for what they say",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def stream(
        request: Request,
        channels: Annotated[
            str, Query(description="Ids of 1 to 100 channels, with commas in between")
        ] = "",
        last_event_id: Annotated[
            str, Header(description="The id of the last event that came: goes on from there")
        ] = "",
    ) -> Response:
        await tokens.checked(bearer(request.headers.get("authorization")))
        del channels, last_event_id
        raise Refused(
            "field_invalid", "a stream is a GET with no body, no Expect and no escapes in its path"
        )

    return router
