"""Signing in, refreshing, listing, signing out."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jwt
import pytest

from libs.log.faults import FaultyLog, Script
from libs.log.port import READ_RECORDS_MAX, Partition
from libs.testing.eventually import eventually
from libs.wire.records import Revocation, decode
from libs.wire.topics import REVOCATIONS
from services.session.metrics import HASHES_INSIDE
from services.session.tests.desk import ADA, CHEAP, SIGN_IN, UNKNOWN, Desk, World


async def revoked(world: World) -> list[str]:
    """The sessions in the log's revocations."""
    found = []
    for index in range(REVOCATIONS.partitions):
        where = Partition(REVOCATIONS.name, index)
        for stored in await world.inner.read(where, 0, limit=READ_RECORDS_MAX):
            record = decode(stored.value)
            assert isinstance(record, Revocation)
            assert stored.key.decode() == record.session
            found.append(record.session)
    return sorted(found)


async def listed(desk: Desk, session: dict[str, Any]) -> list[str]:
    reply = await desk.ask("GET", "/v1/sessions", session=session)
    assert reply.status_code == 200, reply.text
    return [item["id"] for item in reply.json()["items"]]


async def test_a_sign_in_gives_tokens_that_the_published_keys_check(desk: Desk) -> None:
    made = await desk.sign_up()
    session = await desk.sign_in()
    assert (session["user"], session["expires_in"]) == (made, 600)
    published = (await desk.ask("GET", "/v1/keys")).json()
    (key,) = jwt.PyJWKSet.from_dict(published).keys
    token = session["access_token"]
    claims = jwt.decode(
        token, key, algorithms=["EdDSA"], audience="rostrum", issuer="rostrum", leeway=2
    )
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp"}
    assert (claims["sub"], claims["sid"]) == (made["id"], session["session_id"])
    assert claims["exp"] - claims["iat"] == 600
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": published["keys"][0]["kid"]}


async def test_wrong_handle_and_wrong_password_get_one_answer(desk: Desk) -> None:
    await desk.sign_up()
    replies = [
        await desk.ask("POST", "/v1/sessions", SIGN_IN | change)
        for change in ({"password": "wrong one"}, {"handle": "nobody"}, {"handle": "ä b"})
    ]
    told = [
        (reply.status_code, {k: v for k, v in reply.json().items() if k != "trace_id"})
        for reply in replies
    ]
    assert told[0] == told[1] == told[2]
    assert (told[0][0], told[0][1]["code"]) == (401, "credentials_wrong")


async def test_too_many_at_once_are_told_to_wait(world: World) -> None:
    """While the one thread that may hash is busy, and nobody may wait."""
    async with world.open(replace(CHEAP, hashes_at_once=1, hashes_waiting=0)) as desk:
        await desk.sign_up()
        is_free = threading.Event()
        asyncio.get_running_loop().set_default_executor(only := ThreadPoolExecutor(1))
        only.submit(is_free.wait)
        idle = HASHES_INSIDE._value.get()
        first = asyncio.ensure_future(desk.ask("POST", "/v1/sessions", SIGN_IN))
        await eventually(
            lambda: HASHES_INSIDE._value.get() > idle, within_s=5, what="the first one is inside"
        )
        full = await desk.ask("POST", "/v1/sessions", SIGN_IN)
        assert (full.status_code, full.json()["code"]) == (429, "limit_hit")
        assert full.headers["retry-after"] == "1"
        is_free.set()
        assert (await first).status_code == 201
        assert (await desk.ask("POST", "/v1/sessions", SIGN_IN)).status_code == 201


async def test_a_refresh_gives_a_new_pair_for_the_same_session(desk: Desk) -> None:
    await desk.sign_up()
    session = await desk.sign_in()
    reply = await desk.refresh(session["refresh_token"])
    assert reply.status_code == 200
    pair = reply.json()
    assert (pair["session_id"], pair["user"]) == (session["session_id"], session["user"])
    assert pair["refresh_token"] != session["refresh_token"]
    assert (await desk.refresh(pair["refresh_token"])).status_code == 200


async def test_a_lost_response_is_repeated_for_ten_seconds(desk: Desk, world: World) -> None:
    await desk.sign_up()
    first = (await desk.sign_in())["refresh_token"]
    second = (await desk.refresh(first)).json()["refresh_token"]
    world.clock.skip(9)
    assert (await desk.refresh(first)).json()["refresh_token"] == second
    assert (await desk.refresh(second)).status_code == 200
    assert await revoked(world) == []


@pytest.mark.parametrize("rotations", [1, 3])
async def test_an_old_token_ends_the_session(desk: Desk, world: World, rotations: int) -> None:
    """However many rotations ago it was the present one."""
    await desk.sign_up()
    session, other = await desk.sign_in(), await desk.sign_in()
    token = session["refresh_token"]
    for _ in range(rotations):
        token = (await desk.refresh(token)).json()["refresh_token"]
    world.clock.skip(11)
    for stolen in (session["refresh_token"], token):
        reply = await desk.refresh(stolen)
        assert (reply.status_code, reply.json()["code"]) == (401, "refresh_invalid")
    assert await revoked(world) == [session["session_id"]]
    assert await listed(desk, other) == [other["session_id"]]


@pytest.mark.parametrize("token", ["x", f"{UNKNOWN}.{'A' * 43}"])
async def test_a_token_of_no_session_is_refused(desk: Desk, token: str) -> None:
    reply = await desk.refresh(token)
    assert (reply.status_code, reply.json()["code"]) == (401, "refresh_invalid")
    assert (await desk.refresh("x" * 129)).status_code == 422


async def test_the_list_shows_the_devices_of_the_asker_newest_first(desk: Desk) -> None:
    await desk.sign_up()
    await desk.sign_up("eve")
    await desk.sign_in("eve")
    phone, laptop = await desk.sign_in(device="phone"), await desk.sign_in(device="laptop")
    page = (await desk.ask("GET", "/v1/sessions", session=phone)).json()
    assert page["next"] is None
    assert [(item["id"], item["device"]["name"], item["current"]) for item in page["items"]] == [
        (laptop["session_id"], "laptop", False),
        (phone["session_id"], "phone", True),
    ]
    assert page["items"][0]["created_at"].endswith("Z")


async def test_a_sign_out_ends_one_session_and_revokes_it(desk: Desk, world: World) -> None:
    await desk.sign_up()
    gone, kept = await desk.sign_in(), await desk.sign_in()
    path = f"/v1/sessions/{gone['session_id']}"
    assert (await desk.ask("DELETE", path, session=kept)).status_code == 204
    assert await revoked(world) == [gone["session_id"]]
    assert await listed(desk, kept) == [kept["session_id"]]
    assert (await desk.refresh(gone["refresh_token"])).status_code == 401
    again = await desk.ask("DELETE", path, session=kept)
    assert (again.status_code, again.json()["code"]) == (404, "session_unknown")


async def test_nobody_ends_the_session_of_another(desk: Desk, world: World) -> None:
    await desk.sign_up()
    await desk.sign_up("eve")
    ada, eve = await desk.sign_in(), await desk.sign_in("eve")
    reply = await desk.ask("DELETE", f"/v1/sessions/{ada['session_id']}", session=eve)
    assert (reply.status_code, reply.json()["code"]) == (404, "session_unknown")
    assert (await desk.ask("DELETE", "/v1/sessions/no-id", session=eve)).status_code == 404
    assert await revoked(world) == []


async def test_all_others_are_signed_out_at_once(desk: Desk, world: World) -> None:
    await desk.sign_up()
    await desk.sign_up("eve")
    eve, *gone, kept = [await desk.sign_in(h) for h in ("eve", "ada", "ada", "ada")]
    assert (await desk.ask("DELETE", "/v1/sessions", session=kept)).status_code == 204
    assert await listed(desk, kept) == [kept["session_id"]]
    assert await listed(desk, eve) == [eve["session_id"]]
    assert await revoked(world) == sorted(session["session_id"] for session in gone)


async def test_one_session_too_many_ends_the_least_recently_refreshed(world: World) -> None:
    async with world.open(replace(CHEAP, sessions_max=2)) as desk:
        await desk.sign_up()
        first = await desk.sign_in()
        world.clock.skip(1)
        second = await desk.sign_in()
        world.clock.skip(1)
        assert (await desk.refresh(first["refresh_token"])).status_code == 200
        third = await desk.sign_in()
        assert await listed(desk, third) == [third["session_id"], first["session_id"]]
        assert await revoked(world) == [second["session_id"]]


async def test_no_route_answers_without_an_identity(desk: Desk) -> None:
    """Open routes want a service, the others a person."""
    routes = [
        ("POST", "/v1/accounts", ADA),
        ("POST", "/v1/sessions", SIGN_IN),
        ("POST", "/v1/sessions/refresh", {"refresh_token": "x"}),
        ("GET", "/v1/keys", None),
    ]
    for method, path, body in routes:
        assert (await desk.bare(method, path, body)).json()["code"] == "token_missing"
    for method, path in [
        ("GET", "/v1/me"),
        ("GET", "/v1/sessions"),
        ("DELETE", "/v1/sessions"),
        ("DELETE", f"/v1/sessions/{UNKNOWN}"),
    ]:
        reply = await desk.ask(method, path)
        assert (reply.status_code, reply.json()["code"]) == (401, "token_missing")


async def test_no_log_line_holds_a_secret(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither when all goes well nor when it is refused or fails."""
    world.log = log = FaultyLog(world.inner, Script())
    async with world.open() as desk:
        await desk.sign_up()
        session = await desk.sign_in()
        await desk.refresh(session["refresh_token"])
        world.clock.skip(60)
        await desk.refresh(session["refresh_token"])
        await desk.ask("POST", "/v1/sessions", SIGN_IN | {"password": "wrong one"})
        log.cut()
        await desk.ask("POST", "/v1/accounts", ADA | {"handle": "eve"})
        await desk.ask("POST", "/v1/sessions", SIGN_IN)
        await eventually(desk.running.lacks, within_s=5, what="the view complains")
    lines = "".join(capfd.readouterr())
    assert "view waits" in lines
    for secret in (ADA["password"], "wrong one", session["refresh_token"]):
        assert secret not in lines
    assert session["access_token"] not in lines
