"""Appending, and looking back."""

import asyncio

import pytest

from libs.log.faults import FaultyLog, Script
from libs.log.port import READ_RECORDS_MAX
from libs.runtime.view import View
from libs.wire.codes import OutcomeUnknown
from libs.wire.records import Heartbeat, decode
from libs.wire.topics import NAMES
from services.session.consumers import fold
from services.session.ledger import Ledger
from services.session.tests.desk import World


async def test_looking_back_finds_the_key_over_pages_and_nothing_else(world: World) -> None:
    async with asyncio.TaskGroup() as tasks:
        ledger = Ledger(world.inner, View("session", [NAMES], fold, ports=world.ports(tasks)))
        before = await ledger.append(NAMES, "mine", Heartbeat())
        first = await ledger.append(NAMES, "mine", Heartbeat())
        await asyncio.gather(
            *(ledger.append(NAMES, "other", Heartbeat()) for _ in range(READ_RECORDS_MAX))
        )
        second = await ledger.append(NAMES, "mine", None)
        last = await ledger.append(NAMES, "mine", Heartbeat())
        await ledger.append(NAMES, "mine", Heartbeat())
        found = [stored async for stored in ledger.before(last, before.offset + 1)]
    assert [stored.offset for stored in found] == [first.offset, second.offset]
    assert decode(found[0].value) == Heartbeat()
    assert found[1].value == b""


async def test_a_look_back_that_fails_leaves_the_outcome_unknown(world: World) -> None:
    """What was written is written; only what it means is not known."""
    world.log = log = FaultyLog(world.inner, Script(reads=[True]))
    async with asyncio.TaskGroup() as tasks:
        ledger = Ledger(log, View("session", [NAMES], fold, ports=world.ports(tasks)))
        await ledger.append(NAMES, "mine", Heartbeat())
        last = await ledger.append(NAMES, "mine", Heartbeat())
        with pytest.raises(OutcomeUnknown):
            await anext(ledger.before(last, 0))
