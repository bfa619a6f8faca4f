"""`GET /v1/channels/{channel}/poll` on a plain connection: one Future for each parked request."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from libs.wire import cursor as cursors
from libs.wire.codes import Problem

from ..hub import Poller
from ..parking import ParkingLot
from ..polls import Saying
from ..settings import Settings
from ..tokens import bearer
from .shapes import PollAnswer

WAIT_S = 25


class ParkedRequest(Poller):
    """A waiter whose answer an ASGI handler waits for."""

    __slots__ = ("answered",)

    def __init__(self, user: str) -> None:
        super().__init__(user, 0)
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def tell(self, body: bytes) -> None:
        if not self.answered.done():
            self.answered.set_result(body)

    def refuse(self, problem: Problem) -> None:
        if not self.answered.done():
            self.answered.set_exception(problem)

    def end(self, problem: Problem) -> None:
        """See `Listening`."""
        self.refuse(problem)

    def stop(self) -> None:
        """See `Parked`. A cancelled handler would be reported as a crash by the server."""
        self.tell(b"")


def poll_routes(lot: ParkingLot, settings: Settings) -> APIRouter:
    """The poll route."""
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
        checked = await lot.tokens.checked(bearer(request.headers.get("authorization")))
        cursor = None if after is None else cursors.parse(after)
        pause_s = lot.pause_s(checked.person.session, channel)
        if pause_s > 0:
            await lot.clock.sleep(pause_s)
        waiter = ParkedRequest(checked.person.user)
        found = await lot.polls.ask(waiter.user, channel, cursor)
        lot.must_live(checked)
        if isinstance(found, Saying):
            found.room.say(waiter, found.answer)
            return lot.answer(await waiter.answered)
        # Without a cursor the answer is where the channel is, at once.
        lot.polls.park(found, waiter, 0.0 if cursor is None else wait - pause_s)
        try:
            async with lot.parked(request, checked, waiter):
                return lot.answer(await waiter.answered)
        finally:
            lot.polls.gone(waiter)

    return router
