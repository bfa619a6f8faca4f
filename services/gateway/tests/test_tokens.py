"""Which tokens count: every way to bend one is a 401, none is a 500, and none costs a call."""

import asyncio

import httpx
import pytest

from libs.wire.tokens import LIFE_S_MAX
from services.gateway.keys import KEYS_EVERY_S
from services.gateway.tests.edge import CHANNEL, Edge, edge
from services.gateway.tests.fakes import ident
from services.gateway.tests.forged import FORGED, Maker
from services.gateway.tokens import AHEAD_S

ROUTE = f"/v1/channels/{CHANNEL}/poll"


async def code(it: Edge, authorization: str | None) -> str:
    """The code with which a poll is refused, or `ok`."""
    headers = {} if authorization is None else {"authorization": authorization}
    reply = await it.client.get(ROUTE, headers=headers)
    if reply.status_code == 200:
        return "ok"
    refused: str = reply.json()["code"]
    assert reply.status_code == (401 if refused.startswith("token_") else 503)
    return refused


async def answered(it: Edge, *headers: tuple[str, str], path: str = ROUTE) -> httpx.Response:
    """The answer to a poll, while time passes."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return await it.ended(asyncio.create_task(it.client.get(path, headers=raw)))


def _is_refused(reply: httpx.Response, code: str) -> bool:
    """Whether it is the 401 of that code, as a problem document."""
    return (
        reply.status_code == 401
        and reply.headers["content-type"] == "application/problem+json"
        and reply.headers["www-authenticate"] == "Bearer"
        and {"status": 401, "code": code}.items() <= reply.json().items()
    )


async def test_a_token_of_ours_counts_until_it_expires() -> None:
    async with edge() as it:
        it.channel()
        token = f"Bearer {it.session.token('ann')}"
        assert await code(it, token) == "ok"
        it.clock.advance(LIFE_S_MAX - 5)
        assert await code(it, token) == "ok"
        it.clock.advance(5)
        assert await code(it, token) == "token_expired"
        assert await code(it, token) == "token_expired"
        assert await code(it, f"bearer {it.session.token('ann')}") == "ok"


@pytest.mark.parametrize("table", FORGED.values(), ids=FORGED)
async def test_a_forged_token_is_refused_and_costs_no_call(table: dict[str, Maker]) -> None:
    """But for the keys, which are read once when its key id is not known, and now and then."""
    async with edge() as it:
        it.channel()
        wrong = {}
        began_s, asked = it.clock.monotonic(), it.session.asked
        for name, maker in table.items():
            reply = await answered(it, ("authorization", f"Bearer {maker(it.session)}"))
            if not _is_refused(reply, "token_invalid"):
                wrong[name] = (reply.status_code, reply.text)
        assert not wrong
        took_s = it.clock.monotonic() - began_s
        unknown = sum("kid" in name for name in table)
        assert it.session.asked - asked <= unknown + took_s // KEYS_EVERY_S + 1
        assert not it.members.batches
        assert await code(it, f"Bearer {it.session.token('ann')}") == "ok"


async def test_an_expired_token_that_is_new_to_us_is_expired() -> None:
    async with edge() as it:
        it.channel()
        now_s = it.clock.now_ms() // 1000
        token = it.session.token("ann", iat=now_s - 60, exp=now_s - 1)
        for _ in range(2):
            assert await code(it, f"Bearer {token}") == "token_expired"


async def test_a_clock_that_is_a_little_ahead_makes_no_forgery() -> None:
    async with edge() as it:
        it.channel()
        now_s = it.clock.now_ms() // 1000
        near, far = (
            it.session.token("ann", iat=now_s + ahead, exp=now_s + ahead + LIFE_S_MAX)
            for ahead in (AHEAD_S, AHEAD_S + 2)
        )
        assert await code(it, f"Bearer {near}") == "ok"
        assert await code(it, f"Bearer {far}") == "token_invalid"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "token"])
async def test_a_header_without_a_bearer_token_is_a_missing_token(header: str | None) -> None:
    async with edge() as it:
        assert await code(it, header) == "token_missing"


@pytest.mark.parametrize("scheme", ["", "Basic ", "Token ", "BearerX ", "Bearer\t", "DPoP "])
async def test_a_good_token_by_another_scheme_is_a_missing_token(scheme: str) -> None:
    async with edge() as it:
        reply = await answered(it, ("authorization", scheme + it.session.token("ann")))
        assert _is_refused(reply, "token_missing")


@pytest.mark.parametrize("name", ["token", "access_token", "authorization"])
async def test_a_good_token_in_the_url_or_a_cookie_is_a_missing_token(name: str) -> None:
    async with edge() as it:
        token = it.session.token("ann")
        for path, headers in (
            (f"{ROUTE}?{name}={token}", []),
            (f"{ROUTE}?{name}=Bearer%20{token}", []),
            (ROUTE, [("cookie", f"{name}={token}")]),
            (ROUTE, [(f"x-{name}", f"Bearer {token}")]),
        ):
            assert _is_refused(await answered(it, *headers, path=path), "token_missing")


async def test_a_forged_token_before_a_good_one_is_what_counts() -> None:
    async with edge() as it:
        good = ("authorization", f"Bearer {it.session.token('ann')}")
        reply = await answered(it, ("authorization", "Bearer forged"), good)
        assert _is_refused(reply, "token_invalid")


async def test_a_revoked_session_is_refused_and_others_are_not() -> None:
    async with edge() as it:
        it.channel()
        token = f"Bearer {it.session.token('ann')}"
        assert await code(it, token) == "ok"
        await it.revoke("s-ann")
        await it.until(lambda: code(it, token), "token_invalid")
        assert await code(it, f"Bearer {it.session.token('ann')}") == "token_invalid"
        assert await code(it, f"Bearer {it.session.token('bob')}") == "ok"
        other_device = it.session.token("ann", sid=ident("another device"))
        assert await code(it, f"Bearer {other_device}") == "ok"


@pytest.mark.law("L9")
async def test_a_session_that_ends_ends_its_parked_polls() -> None:
    async with edge() as it:
        it.channel()
        headers = it.bearer("ann")
        many = it.client.post(
            "/v1/poll", json={"cursors": {CHANNEL: "1-10"}, "wait": 50}, headers=headers
        )
        polls = [it.polling("1-10", wait=50), asyncio.create_task(many)]
        await it.parked(2)
        await it.revoke("s-ann")
        began_s = it.clock.monotonic()
        for poll in polls:
            reply = await it.ended(poll)
            assert (reply.status_code, reply.json()["code"]) == (401, "token_invalid")
        assert it.clock.monotonic() - began_s < 50


async def test_without_keys_tokens_wait_for_the_session_service() -> None:
    async with edge(is_ready=False) as it:
        it.channel()
        it.session.is_away = True
        token = f"Bearer {it.session.token('ann')}"
        assert await code(it, token) == "service_away"
        assert any("keys" in lack for lack in it.running.lacks())
        it.session.is_away = False
        await it.soon(lambda: not it.running.lacks(), "the gateway is ready")
        assert await code(it, token) == "ok"
