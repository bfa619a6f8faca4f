"""What parked requests of either kind need: their pace, and an end with their session or client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from libs.runtime.clock import Clock
from libs.runtime.tasks import Tasks
from libs.wire.ids import is_id

from .hub import Hub
from .limits import Limits
from .polls import Polls
from .sessions import Listening, Sessions
from .tokens import Checked, Tokens
from .wake import SMALL_ROOM, Waker

JSON = "application/json"


class Parked(Listening, Protocol):
    """A request that waits."""

    def stop(self) -> None:
        """The client went away."""


@dataclass(frozen=True)
class ParkingLot:
    """What poll routes need of the gateway."""

    clock: Clock
    tasks: Tasks
    hub: Hub
    tokens: Tokens
    sessions: Sessions
    limits: Limits
    polls: Polls
    waker: Waker

    def pause_s(self, session: str, channel: str) -> float:
        """How long an early poll of the channel is held back: what comes meanwhile rides along."""
        room = self.hub.rooms.get(channel)
        if room is None and not is_id(channel):
            # It is refused; as a key it would be remembered, whatever its length.
            return 0.0
        is_large = room is not None and len(room.waiters) > SMALL_ROOM
        return self.limits.poll(session, channel, is_large=is_large)

    def answer(self, body: bytes) -> Response:
        """A poll's answer. One that brings entries says nothing of a drain: so its connection ends,
        and the next poll goes elsewhere."""
        headers = {"connection": "close"} if self.hub.is_draining else {}
        return Response(body, headers=headers, media_type=JSON)

    def must_live(self, checked: Checked) -> None:
        """To be asked again after each wait, before anything is told. Raises `Refused` when the
        session has ended meanwhile."""
        refused = self.tokens.refusal(checked)
        if refused is not None:
            raise refused

    @asynccontextmanager
    async def parked(
        self, request: Request, checked: Checked, parked: Parked
    ) -> AsyncIterator[None]:
        """A request that waits: it ends with its session, and when its client goes. Raises
        `Refused` when the session has ended already."""
        self.must_live(checked)
        session = checked.person.session
        self.sessions.enter(session, parked)
        watching = self.tasks.spawn(_stop_when_gone(request, parked), name="gateway.parked")
        try:
            yield
        finally:
            watching.cancel()
            self.sessions.leave(session, parked)


async def _stop_when_gone(request: Request, parked: Parked) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    parked.stop()
