"""`GET /v1/stream`: a stream as server-sent events."""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from libs.runtime.tasks import until_one_ends
from libs.wire.codes import Refused
from libs.wire.ids import is_id

from ..limits import Limits
from ..streams.events import CHANNELS_MAX, EventStream, places_of
from ..streams.talk import Desk, Talk, opened
from ..tokens import Checked, bearer
from .streaming import GOODBYE_S, address_of, admit

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    # Each event is of this moment and of this client; proxies must not gather them.
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def event_routes(desk: Desk, limits: Limits) -> APIRouter:
    """The route of events."""
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
        checked = await desk.tokens.checked(bearer(request.headers.get("authorization")))
        wanted, places = channels_of(channels), places_of(last_event_id)
        admit(desk, limits)
        return _Events(desk, limits, checked=checked, wanted=wanted, places=places)

    return router


def channels_of(text: str) -> list[str]:
    """The channels that a client asks for. Raises `Refused`."""
    channels = list(dict.fromkeys(filter(None, text.split(","))))
    if not 1 <= len(channels) <= CHANNELS_MAX:
        raise Refused(
            "field_invalid",
            f"name 1 to {CHANNELS_MAX} channels, not {len(channels)}",
            field="channels",
        )
    unknown = next((channel for channel in channels if not is_id(channel)), None)
    if unknown is not None:
        raise Refused("channel_unknown", f"there is no channel {unknown[:40]!a}")
    return channels


class _Events(Response):
    """Events until either side ends."""

    def __init__(
        self,
        desk: Desk,
        limits: Limits,
        *,
        checked: Checked,
        wanted: list[str],
        places: dict[str, str],
    ) -> None:
        self.background = None
        self._desk = desk
        self._limits = limits
        self._checked = checked
        self._wanted = wanted
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seat = self._limits.connect(address_of(Request(scope)))
        try:
            seat.take(self._checked.person.user)
            stream = EventStream(self._checked.person, self._desk.about)
            talk = opened(self._desk, stream, self._checked)
            await self._live(talk, stream, receive, send)
        finally:
            seat.leave()

    async def _live(self, talk: Talk, stream: EventStream, receive: Receive, send: Send) -> None:
        async def write(body: bytes) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": True})

        async def hear() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        async def ends() -> None:
            await asyncio.shield(stream.ends)

        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            talk.welcome(CHANNELS_MAX)
            stream.begin(self._wanted, self._places)
            await until_one_ends(hear(), stream.outbox.drain(write), ends(), name="gateway.events")
        finally:
            self._desk.registry.leave(stream)
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await stream.outbox.flush(write)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
