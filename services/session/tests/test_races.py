"""What happens when two act on one session at the same time, here or at another instance."""

import asyncio

import pytest

from libs.log.faults import Fault, Script
from libs.wire.topics import SESSIONS
from services.session.tests.desk import Desk, GatedLog, World

# A sign-out takes a few milliseconds: one that did not wait would be over by then.
OVERTAKE_S = 0.2


async def test_concurrent_refreshes_of_one_token_get_one_successor(world: World) -> None:
    """At one instance and at two: nobody is left with a token that does not count."""
    async with world.open() as one, world.open() as other:
        await one.sign_up()
        token = (await one.sign_in())["refresh_token"]
        replies = await asyncio.gather(*(each.refresh(token) for each in (one, one, other) * 2))
        (successor,) = {reply.json()["refresh_token"] for reply in replies}
        world.clock.skip(60)
        assert (await other.refresh(successor)).status_code == 200


async def test_a_sign_out_waits_for_a_refresh_and_ends_what_it_made(world: World) -> None:
    """Within an instance one comes after the other."""
    world.log = log = GatedLog(world.inner)
    async with world.open() as desk:
        await desk.sign_up()
        session = await desk.sign_in()
        log.hold(SESSIONS.name)
        refresh = asyncio.ensure_future(desk.refresh(session["refresh_token"]))
        await log.arrived.wait()
        path = f"/v1/sessions/{session['session_id']}"
        sign_out = asyncio.ensure_future(desk.ask("DELETE", path, session=session))
        finished, _ = await asyncio.wait({sign_out}, timeout=OVERTAKE_S)
        assert not finished
        log.gate.set()
        refreshed, signed_out = await asyncio.gather(refresh, sign_out)
        assert (refreshed.status_code, signed_out.status_code) == (200, 204)
        assert (await desk.refresh(refreshed.json()["refresh_token"])).status_code == 401


async def test_a_refresh_does_not_bring_back_what_another_instance_ended(world: World) -> None:
    """The rotation is appended after the end: it is found out, and the end is repeated."""
    slow_log = GatedLog(world.inner)
    async with world.open() as fast:
        world.log = slow_log
        async with world.open() as slow:
            await fast.sign_up()
            session, witness = await fast.sign_in(), await fast.sign_in()
            slow_log.hold(SESSIONS.name)
            refresh = asyncio.ensure_future(slow.refresh(session["refresh_token"]))
            await slow_log.arrived.wait()
            path = f"/v1/sessions/{session['session_id']}"
            assert (await fast.ask("DELETE", path, session=session)).status_code == 204
            slow_log.gate.set()
            refreshed = await refresh
            assert refreshed.json()["code"] == "refresh_invalid"
            page = (await fast.ask("GET", "/v1/sessions", session=witness)).json()
            assert [item["id"] for item in page["items"]] == [witness["session_id"]]
            assert (await fast.refresh(session["refresh_token"])).status_code == 401


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Fault.ERROR_BEFORE, "not_written"), (Fault.APPEND_THEN_ERROR, "outcome_unknown")],
)
async def test_a_refresh_whose_append_fails_can_be_repeated(
    world: World, fault: Fault, code: str
) -> None:
    """Written or not, the same token gets its successor."""
    async with world.open() as desk:
        await desk.sign_up()
        token = (await desk.sign_in())["refresh_token"]
    world.log = GatedLog(world.inner, Script([fault]))
    async with world.open() as desk:
        failed = await desk.refresh(token)
        assert (failed.status_code, failed.json()["code"]) == (503, code)
        repeated = await desk.refresh(token)
        assert repeated.status_code == 200
        world.clock.skip(60)
        assert (await desk.refresh(repeated.json()["refresh_token"])).status_code == 200


async def test_a_sign_out_that_fails_half_way_can_be_repeated(world: World) -> None:
    """The revocation is written first, so the session is still there to be ended."""
    async with world.open() as desk:
        await desk.sign_up()
        session = await desk.sign_in()
    world.log = GatedLog(world.inner, Script([None, Fault.ERROR_BEFORE]))
    async with world.open() as desk:
        path = f"/v1/sessions/{session['session_id']}"
        assert (await desk.ask("DELETE", path, session=session)).status_code == 503
        assert (await desk.ask("DELETE", path, session=session)).status_code == 204
        assert await refused(desk, session["refresh_token"])


async def refused(desk: Desk, token: str) -> bool:
    return (await desk.refresh(token)).status_code == 401
