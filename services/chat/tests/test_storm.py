"""Instances, retries, a log and a Redis that fail by a seed: each post shows once, under the told
id."""

import asyncio
import random
import time
from typing import NamedTuple

import pytest

from libs.log.faults import Chance, Fault, FaultyLog, Later
from libs.log.port import Log
from libs.runtime.clock import SystemClock
from services.chat.tests.instance import Instance, entries, running
from services.chat.tests.redis import WatchedRedis

TRIES_MAX = 60
CLIENTS, EACH = 8, 5
AWAY, FLUSHED = 0.1, 0.05
FAULTS = {
    Fault.ERROR_BEFORE: 0.1,
    Fault.APPEND_THEN_ERROR: 0.15,
    Fault.ERROR_THEN_LATE_APPEND: 0.15,
    Fault.DELAYED_ACK: 0.1,
}


class Told(NamedTuple):
    """The id that was told, and when the post was begun and acknowledged."""

    id: int
    began: float
    ended: float


class Moody(WatchedRedis):
    """Fails, forgets everything, or answers."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._dice = random.Random(seed)

    async def answers(self) -> None:
        roll = self._dice.random()
        self.is_away = roll < AWAY
        if roll > 1 - FLUSHED:
            await self.inner.flushall()
        await super().answers()


class Hasty(SystemClock):
    """Its seconds pass so fast that Redis is tried again within a test."""

    def monotonic(self) -> float:
        return super().monotonic() * 500


async def _insist(instances: list[Instance], number: int) -> Told:
    """Send one post again and again, each time to another instance."""
    began = time.monotonic()
    for attempt in range(TRIES_MAX):
        chat = instances[(number + attempt) % len(instances)]
        answer = await chat.post(f"t{number}", f"c{number}", retry=attempt > 0)
        if answer.is_success:
            return Told(int(answer.json()["id"]), began, time.monotonic())
        assert answer.json()["code"] in {"outcome_unknown", "not_written", "service_away"}
    raise AssertionError(f"post {number} was not taken in {TRIES_MAX} tries")


async def _talk(instances: list[Instance], client: int) -> list[Told]:
    """One client's posts, each begun when the one before was acknowledged."""
    numbers = range(client * EACH, (client + 1) * EACH)
    return [await _insist(instances, number) for number in numbers]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.law("L1", "L4", "L5")
async def test_each_post_shows_once_under_the_id_that_was_told(log: Log, seed: int) -> None:
    async with asyncio.TaskGroup() as group:
        later = Later(sleep=asyncio.sleep, spawn=group.create_task, delay_s=0.01)
        faulty = FaultyLog(log, Chance(seed, FAULTS, unavailable=0.05), later=later)
        redis = Moody(seed).as_redis()
        async with (
            running(faulty, store=redis, clock=Hasty()) as one,
            running(faulty, store=redis, clock=Hasty()) as two,
        ):
            clients = (_talk([one, two], client) for client in range(CLIENTS))
            told = [each for talk in await asyncio.gather(*clients) for each in talk]
    shown = {entry.client_id: entry.id for entry in await entries(log) if entry.text is not None}
    assert shown == {f"c{number}": each.id for number, each in enumerate(told)}
    overtaken = [
        (one, two) for one in told for two in told if one.ended < two.began and one.id > two.id
    ]
    assert not overtaken, "acknowledged before the other began, but with the greater id"
