"""Signing up, and who one is."""

import asyncio

import pytest

from libs.log.faults import Fault, Script
from libs.testing.eventually import eventually
from libs.wire.records import Account, NameClaim, decode, encode
from libs.wire.topics import ACCOUNTS, NAMES
from services.session.store import place
from services.session.tests.desk import ADA, SIGN_IN, Desk, GatedLog, World


async def test_a_new_account_has_its_handle_in_lower_case(desk: Desk) -> None:
    reply = await desk.ask("POST", "/v1/accounts", ADA | {"handle": "Ada_1"})
    assert reply.status_code == 201
    made = reply.json()
    assert made == {"id": made["id"], "handle": "ada_1", "display_name": "Ada"}
    session = await desk.sign_in("ADA_1")
    assert session["user"] == made
    me = await desk.ask("GET", "/v1/me", session=session)
    assert (me.status_code, me.json()) == (200, made)


async def test_a_handle_belongs_to_one(desk: Desk) -> None:
    await desk.sign_up()
    reply = await desk.ask("POST", "/v1/accounts", ADA | {"handle": "ADA"})
    assert (reply.status_code, reply.json()["code"]) == (409, "handle_taken")


async def test_two_sign_ups_that_race_for_a_handle_give_one_account(world: World) -> None:
    """Over two instances: one is acknowledged, the other refused, and its account is gone."""
    async with world.open() as one, world.open() as other:
        replies = await asyncio.gather(
            *(each.ask("POST", "/v1/accounts", ADA) for each in (one, other) * 3)
        )
        assert sorted(reply.status_code for reply in replies) == [201, *[409] * 5]
        (won,) = [reply.json()["id"] for reply in replies if reply.status_code == 201]
        assert (await other.sign_in())["user"]["id"] == won

        async def only_the_winner() -> bool:
            keys = await world.store.keys("session:account:*")
            return keys == [f"session:account:{won}".encode()]

        await eventually(only_the_winner, within_s=5, what="the losers' accounts are gone")


async def test_a_crash_between_account_and_claim_blocks_no_handle(world: World) -> None:
    """The account alone does not count."""
    world.log = GatedLog(world.inner, Script([None, Fault.ERROR_BEFORE]))
    async with world.open() as desk:
        failed = await desk.ask("POST", "/v1/accounts", ADA)
        assert (failed.status_code, failed.json()["code"]) == (503, "not_written")
        assert (await desk.ask("POST", "/v1/sessions", SIGN_IN)).status_code == 401
        made = await desk.sign_up()
        assert (await desk.sign_in())["user"] == made


async def test_the_log_has_the_account_before_the_claim_and_no_password(
    desk: Desk, world: World
) -> None:
    made = await desk.sign_up()
    (stored,) = await world.inner.read(place(ACCOUNTS, made["id"]), 0, limit=10)
    (claimed,) = await world.inner.read(place(NAMES, "ada"), 0, limit=10)
    account, claim = decode(stored.value), decode(claimed.value)
    assert isinstance(account, Account)
    assert isinstance(claim, NameClaim)
    assert (stored.key.decode(), claim.owner, claim.owner_kind) == (made["id"], made["id"], "user")
    assert account.password_hash.startswith("$argon2id$")
    assert ADA["password"].encode() not in stored.value


async def test_an_unknown_outcome_is_told_as_such(world: World) -> None:
    world.log = GatedLog(world.inner, Script([None, Fault.APPEND_THEN_ERROR]))
    async with world.open() as desk:
        unknown = await desk.ask("POST", "/v1/accounts", ADA)
        assert (unknown.status_code, unknown.json()["code"]) == (503, "outcome_unknown")
        assert unknown.json()["retry"] == "same-key"
        again = await desk.ask("POST", "/v1/accounts", ADA)
        assert again.status_code == 409
        assert (await desk.sign_in())["user"]["handle"] == "ada"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"handle": "ab"}, "handle"),
        ({"handle": "a" * 33}, "handle"),
        ({"handle": "1ada"}, "handle"),
        ({"handle": "ada\n"}, "handle"),
        ({"handle": "adä"}, "handle"),
        ({"password": "seven77"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"display_name": ""}, "display_name"),
        ({"display_name": "x" * 65}, "display_name"),
        ({"more": 1}, "more"),
    ],
)
async def test_a_wrong_field_is_named(desk: Desk, change: dict[str, object], field: str) -> None:
    reply = await desk.ask("POST", "/v1/accounts", ADA | change)
    assert (reply.status_code, reply.json()["code"]) == (422, "field_invalid")
    assert reply.json()["field"] == field
    assert "seven77" not in reply.text


async def test_a_user_without_an_account_is_unknown(desk: Desk) -> None:
    session = {"user": {"id": "0" * 26}, "session_id": "0" * 26}
    reply = await desk.ask("GET", "/v1/me", session=session)
    assert (reply.status_code, reply.json()["code"]) == (404, "user_unknown")


async def test_a_channel_has_its_handle_too(desk: Desk, world: World) -> None:
    """Handles of people and channels are one space; nobody signs in as a channel."""
    claim = NameClaim(handle="lounge", owner="c" * 26, owner_kind="channel")
    await world.inner.append(place(NAMES, "lounge"), encode(claim), key=b"lounge")
    taken = await desk.ask("POST", "/v1/accounts", ADA | {"handle": "lounge"})
    assert taken.status_code == 409
    nobody = await desk.ask("POST", "/v1/sessions", SIGN_IN | {"handle": "lounge"})
    assert nobody.json()["code"] == "credentials_wrong"


async def test_an_account_that_does_not_show_yet_is_no_wrong_password(
    desk: Desk, world: World
) -> None:
    """Its claim shows already: another instance reads the partition of the account."""
    claim = NameClaim(handle=str(SIGN_IN["handle"]), owner="u" * 26, owner_kind="user")
    await world.inner.append(place(NAMES, claim.handle), encode(claim), key=claim.handle.encode())

    async def known() -> bool:
        return (await desk.ask("POST", "/v1/accounts", ADA)).status_code == 409

    await eventually(known, within_s=5, what="the claim shows")
    reply = await desk.ask("POST", "/v1/sessions", SIGN_IN)
    assert (reply.status_code, reply.json()["code"]) == (503, "rebuilding")
