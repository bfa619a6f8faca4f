"""A log with two channels, and a relay over it."""

from collections.abc import AsyncIterator

import pytest

from libs.log.open import open_log
from libs.wire.topics import TOPICS
from services.relay.tests.instance import CLOCK, HOMES, POOL, Relay, WatchedLog, claim, running


@pytest.fixture
async def log() -> AsyncIterator[WatchedLog]:
    opened = await open_log("sqlite://:memory:", now_ms=CLOCK.now_ms)
    await opened.create_topics((*TOPICS, POOL))
    for place in HOMES.values():
        await claim(opened, place)
    yield WatchedLog(opened)
    await opened.close()


@pytest.fixture
async def relay(log: WatchedLog) -> AsyncIterator[Relay]:
    async with running(log) as started:
        yield started
