"""kill -9 in the middle of posting: nothing acknowledged is lost, nothing shows twice."""

import asyncio
import random
import time
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import NamedTuple

import pytest

from harness.cluster import Cluster
from harness.people import People, Person
from harness.suite import Suite
from libs.testing.eventually import eventually
from libs.wire.services import CHAT

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

POSTS = 2_000
KILLS = 10
IN_FLIGHT = 8
SEED = 20_261_121
POSTING_S = 120


class Span(NamedTuple):
    """An acknowledged post: its id, and when the client began it and had the answer."""

    id: int
    began: float
    ended: float


@pytest.mark.law("L1", "L3", "L4")
async def test_ten_kills_lose_nothing_and_repeat_nothing(
    mortal: AbstractAsyncContextManager[Suite | Cluster], figures: list[str]
) -> None:
    """2,000 posts by a client that retries with its client_id, ten kills at seeded moments (of
    everything; with Kafka of one chat instance of two): each acknowledged id holds its text, each
    post is one message, ids are dense and in the order of real time."""
    dice = random.Random(SEED)
    moments = sorted(dice.sample(range(POSTS // 50, POSTS), KILLS))
    acknowledged: dict[int, int] = {}
    spans: list[Span] = []
    async with mortal as suite, People(suite.url) as people:
        ada = await people.person("ada_kill")
        channel = (await ada.create())["id"]
        victims = [dice.randrange(2) for _ in range(KILLS)]
        killer = asyncio.ensure_future(_kill_at(suite, acknowledged, moments, victims))
        began = time.monotonic()
        await _post_all(ada, channel, acknowledged, spans)
        took_s = time.monotonic() - began
        await killer
        entries = await ada.read(channel)
    assert [entry["id"] for entry in entries] == list(range(1, len(entries) + 1))
    texts = {entry["id"]: entry.get("text") for entry in entries if entry["type"] == "message"}
    assert _in_real_time_order(spans), "an id acknowledged before another post began is greater"
    lost = [n for n, ident in acknowledged.items() if texts.get(ident) != f"post {n}"]
    assert not lost, f"acknowledged, but not there: {lost[:5]}"
    assert sorted(texts.values(), key=_number) == [f"post {n}" for n in range(POSTS)]
    voids = len(entries) - len(texts)
    slowest_s = max(span.ended - span.began for span in spans)
    what = "kills of one of two chats on Kafka" if isinstance(suite, Cluster) else "kills"
    figures.append(
        f"{KILLS} {what} (seed {SEED}) in {POSTS} posts: 0 lost, 0 twice, ids dense, {voids} void, "
        f"{took_s:.0f} s, slowest acknowledgement {slowest_s:.1f} s"
    )


async def _kill_at(
    suite: Suite | Cluster,
    acknowledged: dict[int, int],
    moments: list[int],
    victims: list[int],
) -> None:
    for moment, victim in zip(moments, victims, strict=True):
        await eventually(
            partial(_has, acknowledged, moment),
            within_s=POSTING_S,
            every_s=0.001,
            what=f"{moment} posts are acknowledged",
        )
        if isinstance(suite, Cluster):
            await suite.kill(CHAT, victim)
            await suite.start_one(CHAT, victim)
        else:
            await suite.kill()
            await suite.start()


def _has(acknowledged: dict[int, int], count: int) -> bool:
    return len(acknowledged) >= count


async def _post_all(
    ada: Person, channel: str, acknowledged: dict[int, int], spans: list[Span]
) -> None:
    numbers = iter(range(POSTS))

    async def post_some() -> None:
        for number in numbers:
            began = time.monotonic()
            ident = await ada.post_surely(channel, f"post {number}", f"client-{number}")
            acknowledged[number] = ident
            spans.append(Span(ident, began, time.monotonic()))

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(post_some())


def _in_real_time_order(spans: list[Span]) -> bool:
    latest_begin = 0.0
    for span in sorted(spans):
        if span.ended < latest_begin:
            return False
        latest_begin = max(latest_begin, span.began)
    return True


def _number(text: str | None) -> int:
    return int((text or "post -1").split()[1])
