"""Server-sent events as a scenario plays them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from conformance.logs import Frame, text_of
from conformance.scenarios import EVENTS
from conformance.script import NotSo, Script
from conformance.streams import Left, Playing
from libs.testing.eventually import eventually

CHANNELS_MAX = 100
# Longer than any scenario: whoever stays is ended with its gateway.
LEAVES_S = 60.0


class EventsPlaying(Playing):
    """One answer that does not end by itself."""

    way: ClassVar[str] = EVENTS

    def __init__(self, script: Script, opens: Mapping[str, Any], request: web.Request) -> None:
        super().__init__(script, opens)
        self._request = request
        self.response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        self.response.enable_chunked_encoding()

    async def begin(self) -> None:
        """What the request asks for, and the welcome."""
        self._check()
        await self.response.prepare(self._request)
        await self.say(self.welcome())

    async def first_watch(self) -> None:
        # It is in the request.
        return

    async def hears(self, wanted: Frame) -> None:
        """Nothing can be said on this way: it has to be opened anew."""
        raise AssertionError(f"a script of events cannot hear {wanted}")

    async def say(self, frame: Frame) -> None:
        places = ",".join(f"{channel}={at}" for channel, at in self._places(frame).items() if at)
        data = text_of(frame)
        try:
            await self.response.write(f"id: {places}\ndata: {data}\n\n".encode())
        except ConnectionError:
            raise Left from None

    async def until_left(self, *, answers: bool) -> None:
        await until_left(self._request)
        raise Left

    def _check(self) -> None:
        channels = list(filter(None, self._request.query.get("channels", "").split(",")))
        if not 1 <= len(channels) <= CHANNELS_MAX:
            raise NotSo(f"asked for {len(channels)} channels")
        places = filter(None, self._request.headers.get("Last-Event-ID", "").split(","))
        named = dict(place.split("=") for place in places)
        self.placed({channel: named.get(channel) for channel in channels})

    def _places(self, frame: Frame) -> dict[str, str | None]:
        if "channel" in frame and "cursor" in frame:
            self.watched[frame["channel"]] = frame["cursor"]
        return self.watched


async def until_left(request: web.Request) -> None:
    """Return when the client closed its connection."""

    def has_left() -> bool:
        return request.transport is None or request.transport.is_closing()

    await eventually(has_left, within_s=LEAVES_S, what="the client leaves")
