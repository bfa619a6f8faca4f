"""`POST /v1/poll`: many channels in one request, answered as soon as one of them has something."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.runtime import trace
from libs.runtime.web import parsed
from libs.wire.codec import to_json
from libs.wire.codes import Problem, Refused
from libs.wire.cursor import Cursor, parse

from ..hub import Poller
from ..parking import JSON, ParkingLot
from ..settings import Settings
from ..tokens import Checked, bearer
from .forward import body_of
from .poll import WAIT_S
from .shapes import PollsAnswer

CHANNELS_MAX = 100


class PollMany(BaseModel):
    """What to follow: the cursor of each channel as received, or null for where it is now."""

    model_config = ConfigDict(extra="forbid")

    cursors: Annotated[dict[str, str | None], Field(min_length=1, max_length=CHANNELS_MAX)]
    wait: float = Field(default=WAIT_S, ge=0, description="Seconds to wait at most")

    def places(self) -> list[Cursor | None]:
        """The cursors, in order. Raises `Refused` for one that is none."""
        texts = self.cursors.values()
        return [None if text is None else parse(text) for text in texts]


BODY = {"required": True, "content": {JSON: {"schema": PollMany.model_json_schema()}}}


class Gathering:
    """What is told of the channels of one poll. `begun` is set when there is something."""

    def __init__(self, after_ms: int) -> None:
        self.begun = asyncio.Event()
        self._after_ms = after_ms
        self._told: dict[str, bytes] = {}
        self._ended: Problem | None = None

    def tell(self, channel: str, body: bytes) -> None:
        """The answer of one channel."""
        self._told[channel] = body
        self.stop()

    def end(self, problem: Problem) -> None:
        """See `Listening`. Also when something was told already: it is not sent yet."""
        self._ended = problem
        self.stop()

    def stop(self) -> None:
        """See `Parked`."""
        self.begun.set()

    def body(self) -> bytes:
        """The answer: of those channels that have something to say. Raises the problem that ended
        the session."""
        if self._ended is not None:
            raise self._ended
        told = b",".join(self._told.values())
        return b'{"channels":[%b],"poll_after_ms":%d}' % (told, self._after_ms)


class Part(Poller):
    """One channel of a poll of many."""

    __slots__ = ("_gathering", "channel")

    def __init__(self, gathering: Gathering, user: str, channel: str) -> None:
        super().__init__(user, 0)
        self._gathering = gathering
        self.channel = channel

    def tell(self, body: bytes) -> None:
        self._gathering.tell(self.channel, body)

    def refuse(self, problem: Problem) -> None:
        said = {"channel": self.channel, "problem": problem.document(trace.current())}
        self._gathering.tell(self.channel, to_json(said))


def poll_many_routes(lot: ParkingLot, settings: Settings) -> APIRouter:
    """The route of polls of many channels."""
    router = APIRouter()

    @router.post(
        "/v1/poll",
        tags=["listen"],
        summary="Wait for what comes in any of up to 100 channels",
        response_model=PollsAnswer,
        openapi_extra={"requestBody": BODY},
    )
    async def poll(request: Request) -> Response:
        checked = await lot.tokens.checked(bearer(request.headers.get("authorization")))
        # Read by hand: the framework would read any number of bytes before it asks who sends them.
        wanted = parsed(await body_of(request, settings.body_bytes_max), PollMany)
        if wanted.wait > settings.wait_s_max:
            raise Refused(
                "field_invalid", f"wait at most {settings.wait_s_max} seconds", field="wait"
            )
        session = checked.person.session
        pause_s = max(lot.pause_s(session, channel) for channel in wanted.cursors)
        await lot.clock.sleep(pause_s)
        gathering = Gathering(settings.poll_after_ms)
        async with lot.parked(request, checked, gathering):
            wait_s = wanted.wait - pause_s
            await _gather(lot, gathering, checked, wanted=wanted, wait_s=wait_s)
        return lot.answer(gathering.body())

    return router


async def _gather(
    lot: ParkingLot, gathering: Gathering, checked: Checked, *, wanted: PollMany, wait_s: float
) -> None:
    """Return when there is something to say, or the time is over."""
    until_s = lot.clock.monotonic() + wait_s
    parts = [Part(gathering, checked.person.user, channel) for channel in wanted.cursors]
    works = [
        lot.polls.follow(part, part.channel, place, until_s)
        for part, place in zip(parts, wanted.places(), strict=True)
    ]
    try:
        await asyncio.gather(*works)
        if wait_s > 0:
            await gathering.begun.wait()
    finally:
        for part in parts:
            lot.polls.gone(part)
