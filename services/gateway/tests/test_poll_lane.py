"""Polls from what was asked to an answer or a seat: at once, or by one task."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.responses import Response

from libs.testing.eventually import eventually
from libs.wire.codes import Refused
from services.gateway.http_poll import PollHTTP
from services.gateway.poll_lane import Asked, Caller, PollLane
from services.gateway.routes.poll import QUERY_KEPT_BYTES
from services.gateway.tests.edge import CHANNEL, WITHIN_S, Edge, edge
from services.gateway.tests.fakes import ident

TRACE = "0123456789abcdef" * 2


class FakeCaller(Caller):
    """Keeps what it is told."""

    def __init__(self, lane: PollLane) -> None:
        super().__init__(lane)
        self.answers: list[tuple[dict[str, Any], bool]] = []
        self.responses: list[Response] = []

    def answer(self, body: bytes, *, closes: bool) -> None:
        self.answers.append((json.loads(body), closes))

    def respond(self, response: Response) -> None:
        self.responses.append(response)

    @property
    def problem(self) -> dict[str, Any]:
        """The one problem that it was refused with."""
        (response,) = self.responses
        assert response.media_type == "application/problem+json"
        found: dict[str, Any] = json.loads(bytes(response.body))
        return found


class Polling:
    """The lane of a gateway, and ann, who polls."""

    def __init__(self, it: Edge) -> None:
        assert it.running.http is not None
        assert issubclass(it.running.http, PollHTTP)
        self.lane = it.running.http.lane
        self._token = it.bearer()["authorization"]

    def ask(
        self,
        query: bytes = b"after=1-10",
        *,
        channel: str = CHANNEL,
        trace_id: str | None = None,
        token: str | None = "",
    ) -> FakeCaller:
        caller = FakeCaller(self.lane)
        authorization = self._token if token == "" else token
        self.lane.take(caller, Asked(channel, query, authorization, trace_id))
        return caller

    @property
    def tasks(self) -> int:
        """Polls that are being decided by a task."""
        return sum(task.get_name() == "gateway.poll" for task in asyncio.all_tasks())


@asynccontextmanager
async def polling(*, is_known: bool = True, **changes: Any) -> AsyncIterator[tuple[Edge, Polling]]:
    """A gateway that remembers ann's token and access, and has the room."""
    async with edge(**changes) as it:
        it.channel()
        made = Polling(it)
        if is_known:
            caller = made.ask()
            await eventually(lambda: caller.room, within_s=WITHIN_S, what="it is parked")
            made.lane.gone(caller)
        yield it, made


@pytest.mark.parametrize("query", [b"after=1-9", b"after=1-10&wait=0", b"", b"after=7-1"])
async def test_what_is_remembered_is_answered_within_the_call(query: bytes) -> None:
    async with polling() as (_, it):
        caller = it.ask(query)
        assert (len(caller.answers), caller.responses, it.tasks) == (1, [], 0)
        assert caller.room is None


async def test_who_waits_is_parked_within_the_call_and_costs_no_task() -> None:
    async with polling() as (edge, it):
        caller = it.ask()
        assert caller.room is not None
        assert (caller.user, caller.after, it.tasks) == (ident("ann"), 10, 0)
        await edge.relay.append(CHANNEL)
        await eventually(lambda: caller.answers, within_s=WITHIN_S, what="it is told")
        assert [each["id"] for each in caller.answers[0][0]["entries"]] == [11]
        await edge.revoke("s-ann")
        await edge.until(lambda: _code(it), "token_invalid")
        assert caller.responses == []


async def _code(it: Polling) -> str:
    caller = it.ask(b"")
    return str(caller.problem["code"]) if caller.responses else ""


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"query": b"wait=51"}, "field_invalid"),
        ({"query": b"after=x"}, "cursor_malformed"),
        ({"channel": "nowhere"}, "channel_unknown"),
        ({"token": None}, "token_missing"),
        ({"token": "Bearer a b"}, "token_invalid"),
        ({"query": b"wait=51", "token": None}, "field_invalid"),
        ({"query": b"after=x", "token": None}, "token_missing"),
    ],
)
async def test_what_is_surely_refused_is_refused_within_the_call(
    named: dict[str, Any], code: str
) -> None:
    async with polling() as (_, it):
        caller = it.ask(trace_id=TRACE, **named)
        assert (caller.problem["code"], caller.problem["trace_id"], it.tasks) == (code, TRACE, 0)


async def test_a_trace_id_that_is_none_is_made_and_begins_nothing_else() -> None:
    async with polling() as (_, it):
        ids = {it.ask(b"after=x", trace_id=given).problem["trace_id"] for given in (None, "<x>")}
        assert {len(each) for each in ids} == {32}
        assert len(ids) == 2


async def test_what_is_not_remembered_is_asked_for_by_one_task() -> None:
    async with polling(is_known=False) as (edge, it):
        edge.members.goes_on.clear()
        caller = it.ask(b"after=1-9")
        await eventually(lambda: edge.members.batches, within_s=WITHIN_S, what="access is asked")
        assert (caller.answers, it.tasks) == ([], 1)
        edge.members.goes_on.set()
        await eventually(lambda: caller.answers, within_s=WITHIN_S, what="it is answered")
        assert it.tasks == 0


async def test_who_goes_while_it_is_decided_is_neither_told_nor_parked() -> None:
    async with polling(is_known=False) as (edge, it):
        edge.members.goes_on.clear()
        callers = [it.ask(query) for query in (b"after=1-9", b"after=1-10", b"after=1-11")]
        await eventually(lambda: edge.members.batches, within_s=WITHIN_S, what="access is asked")
        for caller in callers:
            it.lane.gone(caller)
        edge.members.goes_on.set()
        await edge.soon(lambda: it.tasks == 0, "all is decided")
        assert [(each.answers, each.responses, each.room) for each in callers] == [
            ([], [], None)
        ] * 3


async def test_an_early_poll_is_held_and_what_comes_rides_along() -> None:
    async with polling(polls_burst=2, polls_per_s=1.0) as (edge, it):
        first, early = it.ask(), it.ask()
        assert (first.room is None, early.room, it.tasks) == (False, None, 1)
        await edge.relay.append(CHANNEL)
        await eventually(lambda: first.answers, within_s=WITHIN_S, what="the first is told")
        await edge.relay.append(CHANNEL)
        assert early.answers == []
        await edge.soon(lambda: early.answers, "the early one is told")
        assert [each["id"] for each in early.answers[0][0]["entries"]] == [11, 12]


async def test_a_session_that_ends_ends_what_is_parked_by_it() -> None:
    async with polling() as (edge, it):
        caller = it.ask(trace_id=TRACE)
        await edge.revoke("s-ann")
        await eventually(lambda: caller.responses, within_s=WITHIN_S, what="it is refused")
        assert (caller.problem["code"], caller.problem["trace_id"]) == ("token_invalid", TRACE)
        assert caller.responses[0].headers["www-authenticate"] == "Bearer"
        assert caller.room is None


async def test_who_was_told_is_told_nothing_more() -> None:
    """Its session or its right may end before its place is given away."""
    async with polling() as (_, it):
        caller = it.ask()
        caller.wake(b"{}")
        caller.wake(b"{}")
        caller.end(Refused("token_invalid", "signed out"))
        assert (caller.answers, caller.responses, caller.room) == ([({}, False)], [], None)


async def test_while_all_are_moved_who_comes_is_sent_away_and_entries_end_the_connection() -> None:
    async with polling() as (edge, it):
        await edge.running.drain(0.0)
        ((told, closes),) = it.ask().answers
        assert (sorted(told.keys() & {"drain"}), closes) == (["drain"], True)
        ((_, closes),) = it.ask(b"after=1-9").answers
        assert closes


async def test_a_fault_of_ours_is_an_internal_problem_and_ends_nothing() -> None:
    async with polling() as (_, it):
        it.lane.lot.hub.rooms[CHANNEL].writer = None  # type: ignore[assignment]
        caller = it.ask(b"after=1-4")
        assert caller.problem["code"] == "internal"
        assert caller.responses[0].status_code == 500


LONG = b"&x=" + b"y" * QUERY_KEPT_BYTES


@pytest.mark.parametrize("more", [b"", LONG], ids=["short", "long"])
async def test_a_query_is_read_as_the_framework_would_however_long_it_is(more: bytes) -> None:
    async with polling() as (_, it):
        for query in (b"after=1-3&after=1-9", b"wait=0&after=1%2D9&wait=1e1", b"after=1-9&wait=+5"):
            ((told, _),) = it.ask(query + more).answers
            assert [each["id"] for each in told["entries"]] == [10], query
        assert it.ask(b"after=1-9;wait=5" + more).problem["code"] == "cursor_malformed"


async def test_who_asks_as_no_poll_does_is_told_how() -> None:
    async with edge() as it:
        path = f"/v1/channels/{CHANNEL}/poll"
        reply = await it.http(it.running.app).get(path, headers=it.bearer())
        assert (reply.status_code, reply.json()["code"]) == (422, "field_invalid")
        assert "no body" in reply.json()["detail"]
        assert (await it.http(it.running.app).get(path)).json()["code"] == "token_missing"
        reply = await it.http(it.running.app).head(path, headers=it.bearer())
        assert reply.status_code == 405
