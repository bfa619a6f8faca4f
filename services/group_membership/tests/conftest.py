"""A log, a Redis and an instance for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.log.open import open_log
from libs.log.port import Log
from libs.store import Redis, open_store
from libs.wire.topics import TOPICS, pool
from services.group_membership.model import Channel, Wish, draft
from services.group_membership.tests.instance import ANNA, CLOCK, Instance, running


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    opened = await open_log("sqlite://:memory:", now_ms=CLOCK.now_ms)
    await opened.create_topics(TOPICS)
    yield opened
    await opened.close()


@pytest.fixture
async def store() -> AsyncIterator[Redis]:
    opened = open_store("")
    yield opened
    await opened.aclose()


@pytest.fixture
async def service(log: Log, store: Redis, tmp_path: Path) -> AsyncIterator[Instance]:
    async with running(log, store, tmp_path) as instance:
        yield instance


@pytest.fixture
def claimed() -> Channel:
    """Anna's public group, as its claim says."""
    wish = Wish("c1", "group", visibility="public", title="T")
    return Channel(draft(ANNA, wish).claim(pool(0, 1).name, 0, 0), None)
