"""Asking: with which token, at which gateway, for how long."""

import asyncio

import pytest

from clients.python.tests.scripted import (
    Reply,
    Request,
    Scripted,
    deaf,
    in_turn,
    nowhere,
    problem,
    said,
)
from libs.testing.eventually import eventually
from rostrum import (
    Backoff,
    Client,
    MemorySessions,
    Refused,
    Session,
    SignedOut,
    TryAgain,
    Unreachable,
    User,
)
from rostrum.client import SIGN_IN_S
from rostrum.door import CONNECT_S, KEEP_ALIVE_S
from rostrum.http import Http

BACKOFF = Backoff(first_s=0.001, most_s=0.002)
ME = {"id": "u", "handle": "ada"}
SESSION = Session(access_token="old", refresh_token="refresh", id="s", user=User(id="u"))
RENEWED = {
    "session_id": "s",
    "access_token": "new",
    "refresh_token": "refresh-2",
    "expires_in": 600,
    "user": ME,
}
REFRESH = "/v1/sessions/refresh"


def http(*urls: str, session: Session = SESSION, renew_s: float = 5.0) -> Http:
    return Http(
        urls,
        sessions=MemorySessions(session),
        user_agent="tests",
        backoff=BACKOFF,
        renew_s=renew_s,
    )


class Desk:
    """Takes the token `new`, and renews by what it was given to answer."""

    def __init__(self, *refreshes: Reply, code: str = "token_expired") -> None:
        self._refresh = in_turn(*refreshes)
        self._code = code

    async def handle(self, request: Request) -> Reply:
        if request.target == REFRESH:
            return await self._refresh(request)
        return said(ME) if request.token == "new" else problem(401, self._code, "no")


@pytest.mark.parametrize("code", ["token_expired", "token_invalid"])
async def test_a_token_that_is_refused_is_renewed_and_the_question_asked_again(code: str) -> None:
    desk = Desk(said(RENEWED), code=code)
    async with Scripted(desk.handle) as gateway, http(gateway.url) as asker:
        assert (await asker.ask("GET", "/v1/me", User)).value.handle == "ada"
    assert [request.token for request in gateway.requests] == ["old", "", "new"]
    assert gateway.requests[1].body == {"refresh_token": "refresh"}


async def test_a_new_token_that_is_refused_too_is_an_answer() -> None:
    refuse = problem(401, "token_invalid", "no")

    async def never_enough(request: Request) -> Reply:
        return said(RENEWED) if request.target == REFRESH else refuse

    async with Scripted(never_enough) as gateway, http(gateway.url) as asker:
        with pytest.raises(Refused, match="token_invalid"):
            await asker.ask("GET", "/v1/me", User)
    assert len(gateway.requests) == 3


async def test_a_renewal_is_asked_again_with_the_same_token_while_it_fails() -> None:
    replies = (
        problem(503, "outcome_unknown", "same-key"),
        problem(503, "rebuilding", "yes"),
        said(RENEWED, cut=9),
        said(RENEWED),
    )
    async with Scripted(Desk(*replies).handle) as gateway, http(gateway.url) as asker:
        await asker.ask("GET", "/v1/me", User)
    sent = [request.body for request in gateway.requests if request.target == REFRESH]
    assert sent == [{"refresh_token": "refresh"}] * len(replies)


async def test_a_renewal_whose_outcome_is_unknown_leaves_the_question_not_done() -> None:
    """What was asked was refused for its token: it was not done, whatever became of that."""
    desk = Desk(problem(503, "outcome_unknown", "same-key"))
    async with Scripted(desk.handle) as gateway, http(gateway.url, renew_s=0.1) as asker:
        with pytest.raises(TryAgain, match="not_renewed") as raised:
            await asker.ask("GET", "/v1/me", User, within_s=1.0)
    assert not raised.value.may_be_done


async def test_who_waits_for_a_renewal_waits_no_longer_than_they_said() -> None:
    """The renewal goes on, for whoever asks next."""
    gate = asyncio.Event()

    async def slow(request: Request) -> Reply:
        if request.target == REFRESH:
            await gate.wait()
            return said(RENEWED)
        return said(ME) if request.token == "new" else problem(401, "token_expired", "no")

    async with Scripted(slow) as gateway, http(gateway.url) as asker:
        with pytest.raises(TryAgain, match="renewed for too long") as raised:
            await asker.ask("GET", "/v1/me", User, within_s=1.0)
        gate.set()
        assert (await asker.ask("GET", "/v1/me", User)).value.id == "u"
    assert not raised.value.may_be_done
    assert [request.target for request in gateway.requests].count(REFRESH) == 1


async def test_a_session_that_has_ended_says_to_sign_in() -> None:
    desk = Desk(problem(401, "refresh_invalid", "no", detail="it does not count"))
    async with Scripted(desk.handle) as gateway, http(gateway.url) as asker:
        with pytest.raises(SignedOut, match="it does not count"):
            await asker.ask("GET", "/v1/me", User)


async def test_one_that_goes_away_is_left_for_the_next() -> None:
    async with (
        Scripted(in_turn(problem(503, "draining", "yes"))) as first,
        Scripted(in_turn(said(ME))) as second,
        http(nowhere(), first.url, second.url) as asker,
    ):
        assert (await asker.ask("GET", "/v1/me", User)).value.id == "u"
        assert asker.gateway() == second.url
    assert len(first.requests) == 1


async def test_once_is_one_attempt() -> None:
    replies = in_turn(problem(503, "rebuilding", "yes"))
    async with Scripted(replies) as gateway, http(gateway.url) as asker:
        with pytest.raises(TryAgain):
            await asker.once("GET", "/v1/me", User)
    assert len(gateway.requests) == 1


async def test_a_limit_that_was_waited_for_is_told() -> None:
    replies = in_turn(problem(429, "limit_hit", "yes", after="0"), said(ME))
    async with Scripted(replies) as gateway, http(gateway.url) as asker:
        assert (await asker.ask("GET", "/v1/me", User)).limited_s == 0.0
        assert (await asker.ask("GET", "/v1/me", User)).limited_s is None


@pytest.mark.long
async def test_who_signs_in_where_nobody_is_hears_of_it_soon() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with Client(nowhere(), backoff=BACKOFF) as client:
        with pytest.raises(Unreachable, match=f"in {SIGN_IN_S:g} s"):
            await client.sign_in("ada", "correct horse")
    assert loop.time() - began <= SIGN_IN_S + 1


@pytest.mark.long
async def test_a_machine_that_does_not_even_refuse_is_away_after_a_while() -> None:
    with deaf() as url:
        async with http(url) as asker:
            with pytest.raises(Unreachable, match="ConnectionTimeoutError"):
                await asker.once("GET", "/v1/me", User, answer_s=2 * CONNECT_S)


@pytest.mark.long
async def test_an_idle_connection_is_closed_before_a_gateway_would() -> None:
    async with Scripted(in_turn(said(ME))) as gateway, http(gateway.url) as asker:
        await asker.ask("GET", "/v1/me", User)
        assert gateway.connections == 1
        await eventually(
            lambda: gateway.connections == 0, within_s=KEEP_ALIVE_S + 5, what="it is closed"
        )
