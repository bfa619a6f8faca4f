"""Accounts and sessions without HTTP: keys that change, and who may wait for whom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.runtime.keys import Keys, fresh_secret
from libs.runtime.view import View
from libs.testing.eventually import eventually
from libs.wire.codes import Refused
from libs.wire.topics import ACCOUNTS, NAMES, SESSIONS
from services.session.consumers import fold
from services.session.handlers.accounts import Accounts
from services.session.handlers.sessions import ENDS_AT_ONCE, Device, Sessions
from services.session.ledger import Ledger
from services.session.passwords import Passwords
from services.session.store import Store
from services.session.tests.desk import CHEAP, PASSWORD, World

PHONE = Device("phone", "cli")
OLD, NEW = fresh_secret(), fresh_secret()


@asynccontextmanager
async def handlers(world: World, secret: bytes = OLD) -> AsyncIterator[tuple[Accounts, Sessions]]:
    async with asyncio.TaskGroup() as tasks:
        ports = world.ports(tasks)
        view = View("session", [ACCOUNTS, SESSIONS, NAMES], fold, ports=ports)
        following = tasks.create_task(view.run())
        await eventually(lambda: not view.lacks(), within_s=10, what="the view is read")
        store, ledger = Store(ports.store, view), Ledger(ports.log, view)
        accounts = Accounts(store, ledger, Passwords(CHEAP), clock=ports.clock, new_id=ports.new_id)
        yield accounts, Sessions(ports, store, ledger, keys=Keys(secret), settings=CHEAP)
        following.cancel()


async def test_a_refresh_repeated_after_a_change_of_keys_gets_the_same_token(world: World) -> None:
    """As long as the old key is still in the secret."""
    async with handlers(world) as (accounts, sessions):
        account = await accounts.sign_up("ada", PASSWORD, "Ada")
        first = (await sessions.begin(account, PHONE)).refresh_token
        second = (await sessions.refresh(first)).refresh_token
    async with handlers(world, NEW + OLD) as (_, sessions):
        assert (await sessions.refresh(first)).refresh_token == second


async def test_without_the_old_key_a_repeated_refresh_gets_another_that_counts(
    world: World,
) -> None:
    async with handlers(world) as (accounts, sessions):
        account = await accounts.sign_up("ada", PASSWORD, "Ada")
        first = (await sessions.begin(account, PHONE)).refresh_token
        second = (await sessions.refresh(first)).refresh_token
    async with handlers(world, NEW) as (_, sessions):
        third = (await sessions.refresh(first)).refresh_token
        assert third != second
        world.clock.skip(60)
        assert (await sessions.refresh(third)).session == first.partition(".")[0]


async def test_more_sessions_than_end_at_once_all_end(world: World) -> None:
    async with handlers(world) as (accounts, sessions):
        account = await accounts.sign_up("ada", PASSWORD, "Ada")
        kept, *others = await asyncio.gather(
            *(sessions.begin(account, PHONE) for _ in range(2 * ENDS_AT_ONCE + 2))
        )
        await sessions.end_others(account.user, kept.session)
        assert [state.session for state in await sessions.of(account.user)] == [kept.session]
        assert len(others) > 2 * ENDS_AT_ONCE


async def test_proof_is_the_account_that_signed_up(world: World) -> None:
    async with handlers(world) as (accounts, _):
        account = await accounts.sign_up("ada", PASSWORD, "Ada")
        assert await accounts.prove("Ada", PASSWORD) == account == await accounts.of(account.user)
        with pytest.raises(Refused):
            await accounts.prove("ada", PASSWORD + "!")
