"""Whose a handle is, asked by chat for the mentions of its posts."""

import pytest

from libs.wire import api
from libs.wire.api import HANDLES_MAX, HandlesAnswer, HandlesQuestion
from libs.wire.codec import unpack
from libs.wire.records import NameClaim, encode
from libs.wire.topics import NAMES
from services.session.model import kept_handle
from services.session.store import place
from services.session.tests.desk import Desk, World


async def asked(desk: Desk, *handles: str) -> list[str | None]:
    reply = await desk.packed(api.HANDLES, HandlesQuestion(handles))
    assert reply.status_code == 200, reply.text
    return list(unpack(reply.content, HandlesAnswer).users)


async def test_each_handle_is_answered_in_its_place(desk: Desk) -> None:
    ada, bob = (await desk.sign_up("ada"))["id"], (await desk.sign_up("bob"))["id"]
    assert await asked(desk, "bob", "nobody", "Ada", "bob", "") == [bob, None, ada, bob, None]
    assert await asked(desk) == []


async def test_the_handle_of_a_channel_is_nobodys(desk: Desk, world: World) -> None:
    claim = NameClaim(handle="lounge", owner="c" * 26, owner_kind="channel")
    await world.inner.append(place(NAMES, "lounge"), encode(claim), key=b"lounge")
    ada = (await desk.sign_up("ada"))["id"]
    assert await asked(desk, "lounge", "ada") == [None, ada]


async def test_a_view_that_is_behind_answers_only_what_it_has(desk: Desk, world: World) -> None:
    ada = (await desk.sign_up("ada"))["id"]
    await world.store.delete(f"session:view:{NAMES.name}:0")
    assert await asked(desk, "ada") == [ada]
    reply = await desk.packed(api.HANDLES, HandlesQuestion(("ada", "nobody")))
    assert (reply.status_code, reply.json()["code"]) == (503, "rebuilding")


async def test_too_many_handles_and_no_question_are_refused(desk: Desk) -> None:
    many = await desk.packed(api.HANDLES, HandlesQuestion(("a",) * (HANDLES_MAX + 1)))
    assert (many.status_code, many.json()["field"]) == (422, "handles")
    assert (await desk.bare("POST", api.HANDLES)).status_code == 401


@pytest.mark.parametrize("text", ["", "a", "1ada", "kim\n", "k im", "k" * 33, "\N{KELVIN SIGN}im"])
async def test_what_sign_up_would_refuse_is_nobodys(desk: Desk, text: str) -> None:
    """`lower` alone makes a Kelvin sign a k."""
    kim = (await desk.sign_up("kim"))["id"]
    assert kept_handle(text) is None
    assert await asked(desk, text, "KIM", text) == [None, kim, None]
    assert await asked(desk, text) == [None]
