"""Instances, retries and a log that fails by a seed: each post shows once, under the told id."""

import asyncio

import pytest

from libs.log.faults import Chance, Fault, FaultyLog, Later
from libs.log.port import Log
from services.chat.tests.instance import Instance, entries, running

TRIES_MAX = 60
FAULTS = {
    Fault.ERROR_BEFORE: 0.1,
    Fault.APPEND_THEN_ERROR: 0.15,
    Fault.ERROR_THEN_LATE_APPEND: 0.15,
    Fault.DELAYED_ACK: 0.1,
}


async def _insist(instances: list[Instance], number: int) -> int:
    """Send one post again and again, each time to another instance. The id that was told."""
    for attempt in range(TRIES_MAX):
        chat = instances[(number + attempt) % len(instances)]
        answer = await chat.post(f"t{number}", f"c{number}", retry=attempt > 0)
        if answer.is_success:
            return int(answer.json()["id"])
        assert answer.json()["code"] in {"outcome_unknown", "not_written", "service_away"}
    raise AssertionError(f"post {number} was not taken in {TRIES_MAX} tries")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.law("L5")
async def test_each_post_shows_once_under_the_id_that_was_told(log: Log, seed: int) -> None:
    async with asyncio.TaskGroup() as group:
        later = Later(sleep=asyncio.sleep, spawn=group.create_task, delay_s=0.01)
        faulty = FaultyLog(log, Chance(seed, FAULTS, unavailable=0.05), later=later)
        async with running(faulty) as one, running(faulty) as two:
            told = await asyncio.gather(*(_insist([one, two], n) for n in range(40)))
    shown = {entry.client_id: entry.id for entry in await entries(log) if entry.text is not None}
    assert shown == {f"c{number}": ident for number, ident in enumerate(told)}
