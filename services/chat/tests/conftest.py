"""A log with one channel, and an instance for each test."""

from collections.abc import AsyncIterator

import pytest

from libs.log.open import open_log
from libs.log.port import Log
from libs.wire.topics import TOPICS
from services.chat.tests.instance import CLOCK, POOL, Instance, claim, running


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    opened = await open_log("sqlite://:memory:", now_ms=CLOCK.now_ms)
    await opened.create_topics((*TOPICS, POOL))
    await claim(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def chat(log: Log) -> AsyncIterator[Instance]:
    async with running(log) as instance:
        yield instance
