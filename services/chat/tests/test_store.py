"""Hints lead late repetitions to their first id; without them, or with wrong ones, posts go on."""

import asyncio
from itertools import count

import pytest

from libs.log.faults import Fault, FaultyLog, Script
from libs.log.port import Log
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire.fold import WINDOW
from services.chat.metrics import HINTS_LOST
from services.chat.settings import Settings
from services.chat.store import AWAY_S, HINT_S
from services.chat.tests.instance import (
    ANNA,
    BEN,
    CHANNEL,
    SOON_S,
    HeldLog,
    Instance,
    append,
    entries,
    item,
    running,
)
from services.chat.tests.redis import WatchedRedis

KEY = f"chat:post:{CHANNEL}:{ANNA}:c1"
SHORT = Settings(hint_s=0.02)


async def _says(redis: WatchedRedis, wanted: str | None, key: str = KEY) -> None:
    async def said() -> bool:
        return (await redis.keys()).get(key) == wanted

    await eventually(said, within_s=SOON_S, what=f"{key} is {wanted}")


async def _fill(log: Log, count: int = WINDOW) -> None:
    for filler in range(count):
        await append(log, f"f{filler}", who=BEN)


async def _code(chat: Instance, text: str = "hello") -> tuple[int, str]:
    answer = await chat.post(text)
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.law("L5")
async def test_beyond_the_window_a_repetition_gets_its_first_id_at_any_instance(log: Log) -> None:
    redis = WatchedRedis()
    async with running(log, store=redis.as_redis()) as chat:
        first = await chat.post()
        await _says(redis, "done@1-1")
        await _fill(log)
        again = await chat.post()
        assert (again.status_code, again.json()) == (200, first.json())
        assert await _code(chat, "other") == (422, "client_id_reused")
    async with running(log, store=redis.as_redis()) as other:
        again = await other.post()
        assert (again.status_code, again.json()) == (200, first.json())
    assert HINT_S - 60 <= await redis.inner.ttl(KEY) <= HINT_S


async def test_a_hint_is_pending_before_the_append_and_done_after_the_answer(log: Log) -> None:
    redis, held = WatchedRedis(), HeldLog(log)
    await append(log, "c0")
    async with running(held, store=redis.as_redis()) as chat:
        waiting = asyncio.create_task(chat.post())
        await eventually(lambda: held.held, within_s=SOON_S, what="the append")
        assert await redis.keys() == {KEY: "pending@1-1"}
        redis.go.clear()
        held.go.set()
        assert (await waiting).json()["id"] == 2
        assert await redis.keys() == {KEY: "pending@1-1"}
        redis.go.set()
        await _says(redis, "done@1-2")


async def test_a_batch_costs_one_round_trip_before_and_one_after(log: Log) -> None:
    redis = WatchedRedis()
    async with running(log, store=redis.as_redis()) as chat:
        await chat.post(client_id="c0")
        await _says(redis, "done@1-1", KEY.replace("c1", "c0"))
        redis.trips.clear()
        await chat.batch(*(item(f"t{n}", f"c{n}") for n in range(1, 51)))
        await _says(redis, "done@1-51", KEY.replace("c1", "c50"))
    assert redis.trips[0] == ["set"] * 50
    assert sum(map(len, redis.trips)) == 100
    repeated = len(redis.trips)
    async with running(log, store=redis.as_redis()) as chat:
        await chat.batch(*(item(f"t{n}", f"c{n}") for n in range(1, 51)))
    # The window knows them all.
    assert len(redis.trips) == repeated


async def test_after_a_crash_a_pending_post_is_read_back(log: Log) -> None:
    """The first instance died between its append and the second hint."""
    redis = WatchedRedis()
    await redis.inner.set(KEY, "pending@1-0")
    await append(log, "c0", who=BEN)
    first = await append(log, "c1")
    await _fill(log)
    async with running(log, store=redis.as_redis()) as chat:
        # Others post, so that the window is there and does not have it.
        await chat.post(client_id="c9", who=BEN)
        answer = await chat.post()
        assert (answer.status_code, answer.json()["id"]) == (200, first)
        assert await _code(chat, "other") == (422, "client_id_reused")
        await _says(redis, f"done@1-{first}")


async def test_a_pending_post_that_another_instance_wrote_meanwhile_is_found(log: Log) -> None:
    redis = WatchedRedis()
    async with running(log, store=redis.as_redis()) as chat:
        await chat.post(client_id="c0")
        await redis.inner.set(KEY, "pending@1-1")
        # This instance does not know of it yet, and nothing marks the post as repeated.
        assert await append(log, "c1") == 2
        assert (await chat.post()).json()["id"] == 2
    assert len(await entries(log)) == 2


async def test_an_append_that_ended_unknown_is_found_at_another_instance(log: Log) -> None:
    redis, faulty = WatchedRedis(), FaultyLog(log, Script([Fault.APPEND_THEN_ERROR]))
    async with running(faulty, store=redis.as_redis()) as chat:
        assert await _code(chat) == (503, "outcome_unknown")
    assert await redis.keys() == {KEY: "pending@1-0"}
    async with running(log, store=redis.as_redis()) as other:
        await _fill(log)
        answer = await other.post()
        assert (answer.status_code, answer.json()["id"]) == (200, 1)
        await _says(redis, "done@1-1")


@pytest.mark.law("L5")
async def test_an_append_that_ended_unknown_is_found_here_without_any_hint(log: Log) -> None:
    """However many came after it: this instance remembers where to look."""
    redis, faulty = WatchedRedis(), FaultyLog(log, Script([Fault.APPEND_THEN_ERROR]))
    async with running(faulty, store=redis.as_redis()) as chat:
        assert await _code(chat) == (503, "outcome_unknown")
        await redis.inner.flushall()
        await _fill(log)
        answer = await chat.post()
        assert (answer.status_code, answer.json()["id"]) == (200, 1)


async def test_an_append_that_lands_after_its_repetition_stays_void(log: Log) -> None:
    redis, faulty = WatchedRedis(), FaultyLog(log, Script([Fault.ERROR_THEN_LATE_APPEND]))
    async with running(faulty, store=redis.as_redis()) as chat:
        assert await _code(chat) == (503, "outcome_unknown")
        # Behind the void entry at which the first one was not found.
        assert (await chat.post()).json()["id"] == 2
        await faulty.release()
        await _says(redis, "done@1-2")
        await _fill(log)
    async with running(log, store=redis.as_redis()) as other:
        assert (await other.post()).json()["id"] == 2
    assert [entry.dup_of for entry in (await entries(log))[1:3]] == [None, 2]


async def test_what_was_certainly_not_written_leaves_no_hint(log: Log) -> None:
    redis = WatchedRedis()
    faulty = FaultyLog(log, Script([Fault.ERROR_BEFORE] * 2))
    async with running(faulty, store=redis.as_redis()) as chat:
        for _ in range(2):
            assert await _code(chat) == (503, "not_written")
            await _says(redis, None)
        assert (await chat.post()).json()["id"] == 1


@pytest.mark.parametrize(
    "hint",
    [
        "done@2-1",
        "done@1-999",
        "done@1-0",
        "done@1-1",
        "done@0-1",
        "done@1-" + "9" * 19,
        "pending@2-0",
        "pending@1-999",
        "pending@1-0",
        "pending",
        "new@1-1",
        "",
        "\u00e9",
    ],
)
@pytest.mark.law("L1")
async def test_a_hint_that_does_not_hold_does_no_harm(log: Log, hint: str) -> None:
    """Of another epoch, beyond the end, of another post, or nothing that was ever written."""
    redis = WatchedRedis()
    await redis.inner.set(KEY, hint)
    await append(log, "c0")
    async with running(log, store=redis.as_redis()) as chat:
        answer = await chat.post()
        # What may be on its way is looked for behind a void entry.
        ident = 3 if hint.startswith("pending@1-") else 2
        assert (answer.status_code, answer.json()["id"]) == (201, ident)
        await _says(redis, f"done@1-{ident}")


async def test_a_hint_at_a_void_entry_leads_to_its_first(log: Log) -> None:
    redis = WatchedRedis()
    await redis.inner.set(KEY, "done@1-2")
    for client_id in ("c1", "c1"):
        await append(log, client_id)
    await _fill(log)
    async with running(log, store=redis.as_redis()) as chat:
        assert (await chat.post()).json()["id"] == 1


async def test_what_was_pending_in_another_epoch_is_not_pending_in_this(log: Log) -> None:
    redis = WatchedRedis()
    await redis.inner.set(KEY, "pending@2-0")
    faulty = FaultyLog(log, Script([Fault.ERROR_BEFORE]))
    async with running(faulty, store=redis.as_redis()) as chat:
        assert await _code(chat) == (503, "not_written")


async def test_a_hint_that_does_not_hold_is_pending_before_the_append(log: Log) -> None:
    redis, held = WatchedRedis(), HeldLog(log)
    await redis.inner.set(KEY, "done@2-7")
    async with running(held, store=redis.as_redis()) as chat:
        waiting = asyncio.create_task(chat.post())
        await eventually(lambda: held.held, within_s=SOON_S, what="the append")
        assert await redis.keys() == {KEY: "pending@1-0"}
        held.go.set()
        await waiting


async def test_a_flushed_redis_costs_late_repetitions_their_first_id_alone(log: Log) -> None:
    redis = WatchedRedis()
    async with running(log, store=redis.as_redis()) as chat:
        await chat.post()
        await _says(redis, "done@1-1")
        await redis.inner.flushall()
        await _fill(log)
    async with running(log, store=redis.as_redis()) as other:
        assert (await other.post()).json()["id"] == WINDOW + 2


async def test_posts_go_on_while_redis_is_away(log: Log) -> None:
    redis, clock = WatchedRedis(), VirtualClock()
    redis.is_away = True
    before = HINTS_LOST._value.get()
    async with running(log, store=redis.as_redis(), clock=clock) as chat:
        for number in range(5):
            assert (await chat.post(client_id=f"c{number}")).status_code == 201
        # One failed; the others did not ask.
        assert (len(redis.trips), redis.probes) == (1, 0)
        assert HINTS_LOST._value.get() - before == 10
        clock.advance(AWAY_S)
        assert (await chat.post(client_id="c5")).status_code == 201
        await eventually(lambda: redis.probes == 1, within_s=SOON_S, what="it is tried again")
        redis.is_away = False
        clock.advance(AWAY_S)
        await chat.post(client_id="c6")
        await eventually(lambda: redis.probes == 2, within_s=SOON_S, what="it is tried again")

        # Each with its own client_id: of a post that the window knows no hint is asked for.
        numbers = count(7)

        async def hinted() -> bool:
            await chat.post(client_id=f"c{next(numbers)}")
            return bool(await redis.keys())

        await eventually(hinted, within_s=SOON_S, what="hints are given again")


async def test_a_redis_that_hangs_is_waited_for_once(log: Log) -> None:
    redis, clock = WatchedRedis(), VirtualClock()
    redis.go.clear()
    async with running(log, SHORT, store=redis.as_redis(), clock=clock) as chat:
        replies = await chat.batch(*(item(f"t{n}", f"c{n}") for n in range(20)))
        assert {reply.status for reply in replies} == {201}
        clock.advance(AWAY_S)
        # The next try hangs as well, beside the posts.
        replies = await chat.batch(*(item(f"t{n}", f"d{n}") for n in range(20)))
        assert {reply.status for reply in replies} == {201}
        assert (len(redis.trips), redis.probes) == (1, 1)


async def test_who_waits_behind_a_pipeline_that_fails_goes_on_with_it(log: Log) -> None:
    redis = WatchedRedis()
    redis.go.clear()
    async with running(log, SHORT, store=redis.as_redis(), clock=VirtualClock()) as chat:
        first = asyncio.create_task(chat.post(client_id="c1"))
        await eventually(lambda: redis.trips, within_s=SOON_S, what="the first pipeline")
        second = asyncio.create_task(chat.post(client_id="c2"))
        assert {(await first).status_code, (await second).status_code} == {201}
        assert len(redis.trips) == 1


async def test_more_commands_than_may_wait_are_not_given(log: Log) -> None:
    redis = WatchedRedis()
    redis.go.clear()
    before = HINTS_LOST._value.get()
    async with running(log, Settings(hints_waiting=5, hint_s=1), store=redis.as_redis()) as chat:
        posting = asyncio.create_task(chat.batch(*(item(f"t{n}", f"c{n}") for n in range(20))))
        # Those without a hint are answered; the five that were given wait.
        await eventually(lambda: _count(log, 15), within_s=SOON_S, what="the others are posted")
        redis.go.set()
        assert {reply.status for reply in await posting} == {201}
    assert HINTS_LOST._value.get() - before >= 15


async def _count(log: Log, wanted: int) -> bool:
    return len(await entries(log)) >= wanted
