"""`GET /v1/channels/{channel}/poll` on a plain connection: one Future for each parked request."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from libs.runtime.tasks import Tasks
from libs.wire.codes import Problem

from ..hub import Waiter
from ..polls import Polls
from ..settings import Settings
from ..tokens import Tokens
from .shapes import PollAnswer

WAIT_S = 25
JSON = "application/json"


class ParkedRequest(Waiter):
    """A waiter whose answer an ASGI handler waits for."""

    __slots__ = ("answered",)

    def __init__(self, user: str, after: int) -> None:
        super().__init__(user, after)
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def answer(self, body: bytes) -> None:
        if not self.answered.done():
            self.answered.set_result(body)

    def refuse(self, problem: Problem) -> None:
        if not self.answered.done():
            self.answered.set_exception(problem)


def poll_routes(polls: Polls, tokens: Tokens, tasks: Tasks, settings: Settings) -> APIRouter:
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
        person = await tokens.person(request.headers.get("authorization"))
        outcome = await polls.poll(person.user, channel, after)
        if isinstance(outcome, bytes):
            return Response(outcome, media_type=JSON)
        waiter = ParkedRequest(person.user, outcome.after)
        polls.park(outcome, waiter, wait)
        watching = tasks.spawn(_leave_when_gone(request, polls, waiter), name="gateway.parked")
        try:
            return Response(await waiter.answered, media_type=JSON)
        finally:
            watching.cancel()
            polls.gone(waiter)

    return router


async def _leave_when_gone(request: Request, polls: Polls, waiter: ParkedRequest) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    polls.gone(waiter)
    # Nobody reads it. A cancelled handler would be reported as a crash by the server.
    waiter.answer(b"")
