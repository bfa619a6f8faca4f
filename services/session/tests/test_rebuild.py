"""The view can be thrown away: what is unknown meanwhile is 503, and afterwards nothing differs."""

from typing import Any

import pytest

from libs.log.faults import FaultyLog, Script
from libs.store import open_store
from libs.testing.eventually import eventually
from services.catalog import ROUTES
from services.session.app import SERVICE
from services.session.tests.desk import ADA, SIGN_IN, UNKNOWN, Desk, World


async def lived_in(desk: Desk, *, handle: str) -> dict[str, Any]:
    """Something of everything. Returns a session that has been refreshed."""
    await desk.sign_up(handle)
    kept, gone = await desk.sign_in(handle), await desk.sign_in(handle)
    path = f"/v1/sessions/{gone['session_id']}"
    assert (await desk.ask("DELETE", path, session=kept)).status_code == 204
    refreshed: dict[str, Any] = (await desk.refresh(kept["refresh_token"])).json()
    return refreshed


@pytest.mark.law("L6")
async def test_a_resumed_view_equals_one_folded_from_the_start(world: World) -> None:
    """L6, over restarts: every key of the store, positions too."""
    for handle in ("ada", "bob", "eve"):
        async with world.open() as desk:
            await lived_in(desk, handle=handle)
    async with world.open():
        resumed = await world.content()
    world.store = open_store("")
    async with world.open():
        assert await world.content() == resumed
    assert len(resumed) > 3


async def test_a_new_instance_with_an_empty_store_gives_the_same_answers(world: World) -> None:
    async with world.open() as desk:
        session = await lived_in(desk, handle="ada")
        asked = [("GET", "/v1/me"), ("GET", "/v1/sessions"), ("GET", "/v1/keys")]
        before = [(await desk.ask(*each, session=session)).json() for each in asked]
    world.store = open_store("")
    async with world.open() as desk:
        assert [(await desk.ask(*each, session=session)).json() for each in asked] == before
        assert (await desk.refresh(session["refresh_token"])).status_code == 200
        assert (await desk.ask("POST", "/v1/accounts", ADA)).status_code == 409
        await desk.sign_in()


async def test_while_the_view_is_behind_nothing_is_denied(world: World) -> None:
    """An instance that cannot read the log knows nobody, and says so instead of no."""
    world.log = log = FaultyLog(world.inner, Script())
    async with world.open() as desk:
        session = await lived_in(desk, handle="ada")
        log.cut()
        before = await world.content()
        await world.store.flushall()
        replies = [
            await desk.ask("POST", "/v1/sessions", SIGN_IN),
            await desk.ask("POST", "/v1/accounts", ADA | {"handle": "newcomer"}),
            await desk.refresh(session["refresh_token"]),
            await desk.ask("GET", "/v1/me", session=session),
            await desk.ask("GET", "/v1/sessions", session=session),
            await desk.ask("DELETE", "/v1/sessions", session=session),
            await desk.ask("DELETE", f"/v1/sessions/{session['session_id']}", session=session),
        ]
        for reply in replies:
            assert reply.status_code == 503, reply.text
            assert (reply.json()["code"], reply.headers["retry-after"]) == ("rebuilding", "1")
        log.heal()

        async def is_whole() -> bool:
            return await world.content() == before

        await eventually(is_whole, within_s=15, what="the view is whole again")
        await desk.ready()
        assert (await desk.refresh(session["refresh_token"])).status_code == 200


async def test_a_store_that_does_not_answer_is_told_as_such(world: World) -> None:
    world.store = open_store("redis://127.0.0.1:1")
    session = {"user": {"id": UNKNOWN}, "session_id": UNKNOWN}
    async with world.open(is_awaited=False) as desk:
        for method, path, body in [
            ("POST", "/v1/sessions", SIGN_IN),
            ("GET", "/v1/me", None),
            ("GET", "/v1/sessions", None),
        ]:
            reply = await desk.ask(method, path, body, session=session)
            assert (reply.status_code, reply.json()["code"]) == (503, "service_away")


async def test_the_routes_are_those_of_the_catalog(desk: Desk) -> None:
    document = (await desk.bare("GET", "/openapi.json")).json()
    ours = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert ours == {(route.method, route.path) for route in ROUTES if route.service == "session"}
    assert SERVICE.settings.__module__ == "services.session.settings"
