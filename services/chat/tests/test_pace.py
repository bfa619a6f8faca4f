"""Slow mode counts what was written, and refuses no repetition."""

from libs.log.faults import Fault, FaultyLog, Script
from libs.log.port import Log
from libs.testing.clock import VirtualClock
from libs.wire.api import Access
from services.chat.model import Post
from services.chat.pace import Pace
from services.chat.tests.instance import (
    ANNA,
    BEN,
    CHANNEL,
    Instance,
    append,
    entries,
    item,
    running,
)
from services.chat.tests.redis import WatchedRedis

SLOW_S = 30


def _slow(chat: Instance, *people: str) -> None:
    for who in people:
        chat.members.answers[who] = Access(
            who, CHANNEL, role="member", may_read=True, may_post=True, slow_mode_s=SLOW_S
        )


async def _code(chat: Instance, client_id: str, text: str = "hello") -> str:
    return str((await chat.post(text, client_id)).json().get("code", "fine"))


async def test_a_post_that_comes_too_soon_is_told_when(log: Log) -> None:
    clock = VirtualClock()
    async with running(log, clock=clock) as chat:
        _slow(chat, ANNA, BEN)
        assert (await chat.post(client_id="c1")).status_code == 201
        clock.advance(10.5)
        answer = await chat.post(client_id="c2")
        assert (answer.status_code, answer.json()["code"]) == (429, "limit_hit")
        assert answer.headers["retry-after"] == "20"
        assert (await chat.post(client_id="c2", who=BEN)).status_code == 201
        clock.advance(19.5)
        assert (await chat.post(client_id="c2")).status_code == 201
    # A refusal costs no append.
    assert [entry.client_id for entry in await entries(log)] == ["c1", "c2", "c2"]


async def test_of_two_at_once_one_is_taken(log: Log) -> None:
    async with running(log, clock=VirtualClock()) as chat:
        _slow(chat, ANNA)
        replies = await chat.batch(item("a", "c1"), item("b", "c2"))
        assert [reply.status for reply in replies] == [201, 429]
        assert replies[1].retry_after_s == SLOW_S


async def test_without_slow_mode_nothing_is_counted(log: Log) -> None:
    async with running(log, clock=VirtualClock()) as chat:
        for number in range(3):
            assert await _code(chat, f"c{number}") == "fine"


async def test_a_known_post_is_found_however_soon_it_comes_again(log: Log) -> None:
    redis = WatchedRedis()
    await append(log, "c0")
    for number in range(600):
        await append(log, f"f{number}", who=BEN)
    await append(log, "c1")
    await redis.inner.set(f"chat:post:{CHANNEL}:{ANNA}:c0", "done@1-1")
    async with running(log, clock=VirtualClock(), store=redis.as_redis()) as chat:
        _slow(chat, ANNA)
        assert await _code(chat, "c2") == "fine"
        # In the window, by a hint, and by this instance's own memory.
        assert (await chat.post(client_id="c1")).json()["id"] == 602
        assert (await chat.post(client_id="c0")).json()["id"] == 1
        assert (await chat.post(client_id="c2")).json()["id"] == 603
        assert await _code(chat, "c1", "other") == "client_id_reused"
        assert await _code(chat, "c3") == "limit_hit"
        # The log was asked: it is not there.
        assert (await chat.post(client_id="c3", retry=True)).status_code == 429
        # It may come later, so nothing is said about it.
        assert not any(key.endswith(":c3") for key in await redis.keys())


async def test_what_was_known_before_does_not_count(log: Log) -> None:
    await append(log, "c1")
    async with running(log, clock=VirtualClock()) as chat:
        _slow(chat, ANNA)
        assert (await chat.post(client_id="c1")).status_code == 200
        assert (await chat.post(client_id="c2")).status_code == 201


async def test_what_was_certainly_not_written_does_not_count(log: Log) -> None:
    faulty = FaultyLog(log, Script([Fault.ERROR_BEFORE]))
    async with running(faulty, clock=VirtualClock()) as chat:
        _slow(chat, ANNA)
        assert await _code(chat, "c1") == "not_written"
        assert (await chat.post(client_id="c2", reply_to=9)).status_code == 422
        assert await _code(chat, "c3") == "fine"
        assert await _code(chat, "c4") == "limit_hit"


async def test_what_may_be_written_counts_and_may_be_sent_again(log: Log) -> None:
    faulty = FaultyLog(log, Script([Fault.ERROR_THEN_LATE_APPEND]))
    async with running(faulty, clock=VirtualClock()) as chat:
        _slow(chat, ANNA)
        assert await _code(chat, "c1") == "outcome_unknown"
        assert await _code(chat, "c2") == "limit_hit"
        assert await _code(chat, "c1") == "fine"


def _post(author: str, client_id: str = "c1") -> Post:
    return Post(CHANNEL, author, client_id, "t")


def test_who_falls_out_of_memory_may_post_again() -> None:
    clock = VirtualClock()
    pace = Pace(clock, most=2)
    for author in ("a", "b", "c"):
        assert pace.take(_post(author), SLOW_S) is not None
    assert len(pace) == 2
    assert pace.take(_post("a", "c2"), SLOW_S) is not None
    assert pace.take(_post("c", "c2"), SLOW_S) is None


def test_taking_back_leaves_what_came_before_and_after() -> None:
    clock = VirtualClock()
    pace = Pace(clock, most=2)
    pace.take(_post("a"), SLOW_S)
    clock.advance(SLOW_S)
    undo = pace.take(_post("a", "c2"), SLOW_S)
    assert undo is not None
    undo()
    assert pace.take(_post("a", "c3"), SLOW_S) is not None
    undo()
    assert pace.take(_post("a", "c4"), SLOW_S) is None
