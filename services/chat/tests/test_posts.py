"""The post path without HTTP: who waits, who goes, and what is counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libs.log.port import Log
from libs.runtime.directory import DirectoryReader
from libs.testing.eventually import eventually
from libs.wire.cursor import Cursor
from libs.wire.services import GROUP_MEMBERSHIP
from services.chat.access import AccessMemory
from services.chat.handlers import Posts
from services.chat.metrics import IN_FLIGHT, POSTS
from services.chat.model import Post
from services.chat.settings import Settings
from services.chat.signals import Signals
from services.chat.tests.instance import (
    ANNA,
    CHANNEL,
    CLOCK,
    SOON_S,
    HeldLog,
    Members,
    entries,
    ports,
)

HELLO = Post(CHANNEL, ANNA, "c1", "hello")


@asynccontextmanager
async def _posts(log: Log) -> AsyncIterator[Posts]:
    async with asyncio.TaskGroup() as group:
        made = ports(log, group)
        made.calls.attach(GROUP_MEMBERSHIP, Members())
        yield Posts(
            made,
            Settings(),
            access=AccessMemory(made, Settings()),
            directory=DirectoryReader(log, CLOCK),
            signals=Signals(log, waiting=1, in_flight=1),
        )


async def test_a_post_whose_author_goes_away_is_written(log: Log) -> None:
    held = HeldLog(log)
    async with _posts(held) as posts:
        waiting = asyncio.create_task(posts.post(HELLO))
        await eventually(lambda: held.held, within_s=SOON_S, what="the append")
        assert _value(IN_FLIGHT) == 1
        waiting.cancel()
        held.go.set()
        outcome = await posts.post(HELLO)
        assert outcome.cursor == Cursor(1, 1)
    assert len(await entries(log)) == 1
    assert _value(IN_FLIGHT) == 0


async def test_outcomes_are_counted(log: Log) -> None:
    before = [_value(POSTS.labels(name)) for name in ("created", "repeated")]
    async with _posts(log) as posts:
        for _ in range(3):
            await posts.post(HELLO)
    after = [_value(POSTS.labels(name)) for name in ("created", "repeated")]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 2]


def _value(metric: object) -> float:
    collect = metric.collect  # type: ignore[attr-defined]
    return float(next(iter(collect())).samples[0].value)
