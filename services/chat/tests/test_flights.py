"""What is answered at the deadline is true, then and afterwards."""

import asyncio
from collections.abc import Iterable, Mapping

import pytest

from libs.log.faults import Fault, FaultyLog, Script
from libs.log.port import Appended, Ends, Log, Partition
from libs.testing.eventually import eventually
from services.chat.metrics import IN_FLIGHT
from services.chat.settings import Settings
from services.chat.tests.instance import (
    BEN,
    PARTITION,
    SOON_S,
    HeldLog,
    Instance,
    entries,
    item,
    running,
)
from services.chat.tests.redis import WatchedRedis

SHORT = Settings(answer_deadline_s=0.05)
STEPS = 50


class HeldEnds(FaultyLog):
    """The channel's end is not told until a test lets it; what is appended is kept by text."""

    def __init__(self, inner: Log) -> None:
        super().__init__(inner, Script())
        self.go = asyncio.Event()
        self.asked = 0

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        wanted = list(partitions)
        if PARTITION in wanted:
            self.asked += 1
            await self.go.wait()
        return await super().ends(wanted)


class Crashing(FaultyLog):
    """Crashes, as no log should, at the channel's end or at its appends."""

    def __init__(self, inner: Log, *, at_append: bool) -> None:
        super().__init__(inner, Script())
        self._at_append = at_append

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        wanted = list(partitions)
        if PARTITION in wanted and not self._at_append:
            raise RuntimeError("at the end")
        return await super().ends(wanted)

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        if partition == PARTITION:
            raise RuntimeError("at the append")
        return await super().append(partition, value, key=key)


async def _code(chat: Instance, client_id: str = "c1", *, retry: bool = False) -> str:
    return str((await chat.post(client_id=client_id, retry=retry)).json().get("code", "fine"))


async def _landed() -> None:
    await eventually(
        lambda: IN_FLIGHT._value.get() == 0, within_s=SOON_S, what="nothing is under way"
    )


async def test_what_was_said_not_to_be_written_is_not_written_afterwards(log: Log) -> None:
    held = HeldEnds(log)
    async with running(held, SHORT) as chat:
        assert await _code(chat) == "service_away"
        held.go.set()
        await _landed()
    assert await entries(log) == []


async def test_whoever_comes_again_meanwhile_has_it_written(log: Log) -> None:
    held = HeldEnds(log)
    async with running(held, Settings(answer_deadline_s=0.5)) as chat:
        assert await _code(chat) == "service_away"
        again = asyncio.create_task(chat.post())
        # It has to come to the flight before that goes on: some steps through the app.
        for _ in range(STEPS):
            await asyncio.sleep(0)
        held.go.set()
        answer = await again
        assert (answer.status_code, answer.json()["id"]) == (200, 1)
    assert held.asked == 1


async def test_a_repetition_is_not_said_not_to_be_written(log: Log) -> None:
    held = HeldEnds(log)
    async with running(held, SHORT) as chat:
        assert await _code(chat, "c1", retry=True) == "outcome_unknown"
        # It joins one that is not marked, and both may have been written before.
        assert await _code(chat, "c2") == "service_away"
        assert await _code(chat, "c2", retry=True) == "outcome_unknown"
        chat.members.away = True
        assert await _code(chat, "c3", retry=True) == "outcome_unknown"
        assert await _code(chat, "c4") == "service_away"
        held.go.set()
        await _landed()


async def test_while_an_append_is_followed_its_repetitions_are_unknown(log: Log) -> None:
    redis, held = WatchedRedis(), HeldLog(log)
    async with running(held, SHORT, store=redis.as_redis()) as chat:
        for _ in range(3):
            assert await _code(chat) == "outcome_unknown"
        assert held.held == 1
        held.go.set()
        await _landed()

        async def is_done() -> bool:
            return list((await redis.keys()).values()) == ["done@1-1"]

        await eventually(is_done, within_s=SOON_S, what="its landing is noted in a hint")
        # And in the window: nothing is read.
        redis.trips.clear()
        assert (await chat.post()).json()["id"] == 1
        assert redis.trips == []


@pytest.mark.parametrize("fault", [Fault.APPEND_THEN_ERROR, Fault.ERROR_THEN_LATE_APPEND])
async def test_after_an_unknown_end_a_refused_repetition_is_unknown_too(
    log: Log, fault: Fault
) -> None:
    faulty = FaultyLog(log, Script([fault, Fault.ERROR_BEFORE]))
    redis = WatchedRedis()
    redis.is_away = True
    async with running(faulty, store=redis.as_redis()) as chat:
        assert await _code(chat) == "outcome_unknown"
        if fault is Fault.ERROR_THEN_LATE_APPEND:
            assert await _code(chat) == "outcome_unknown"
            await faulty.release()
        assert (await chat.post()).json()["id"] == 1
    assert len(await entries(log)) == 1


async def test_a_delayed_acknowledgement_is_the_answer_of_the_repetition(log: Log) -> None:
    faulty = FaultyLog(log, Script([Fault.DELAYED_ACK]))
    async with running(faulty, SHORT) as chat:
        assert await _code(chat) == "outcome_unknown"
        await faulty.release()
        answer = await chat.post()
        assert (answer.status_code, answer.json()["id"]) == (200, 1)
    assert len(await entries(log)) == 1


async def test_unknown_ends_are_remembered_up_to_a_bound(log: Log) -> None:
    script = [Fault.ERROR_THEN_LATE_APPEND] * 3 + [Fault.ERROR_BEFORE] * 2
    redis = WatchedRedis()
    redis.is_away = True
    settings = Settings(posts_remembered=2)
    async with running(FaultyLog(log, Script(script)), settings, store=redis.as_redis()) as chat:
        for client_id in ("c1", "c2", "c3"):
            assert await _code(chat, client_id) == "outcome_unknown"
        assert await _code(chat, "c3") == "outcome_unknown"
        assert await _code(chat, "c1") == "not_written"


async def test_a_crash_before_the_append_is_ours_and_after_it_unknown(log: Log) -> None:
    async with running(Crashing(log, at_append=False)) as chat:
        assert await _code(chat) == "internal"
        assert await _code(chat, retry=True) == "outcome_unknown"
    async with running(Crashing(log, at_append=True)) as chat:
        assert await _code(chat) == "outcome_unknown"
        replies = await chat.batch(item("a", "c2"), item("b", "c3", who=BEN))
        assert [reply.status for reply in replies] == [503, 503]


async def test_a_post_that_needs_longer_keeps_its_place_in_the_batch(log: Log) -> None:
    """The first and third are read back before they are appended."""
    async with running(log) as chat:
        await chat.post(client_id="c0")
        await chat.batch(
            item("a", "c1", retry=True),
            item("b", "c2", who=BEN),
            item("c", "c3", retry=True, reply_to=1),
            item("d", "c4"),
        )
    assert [entry.text for entry in (await entries(log))[1:]] == ["a", "b", "c", "d"]


async def test_who_gives_up_does_not_hold_up_those_behind(log: Log) -> None:
    async with running(log, Settings(answer_deadline_s=0.1, handles_s=1)) as chat:
        await chat.post(client_id="c0")
        chat.accounts.go.clear()
        slow, behind = await chat.batch(item("@anna", "c1"), item("b", "c2"))
        assert (slow.status, behind.status) == (503, 503)
        assert (await chat.post("c", "c3")).status_code == 201
        chat.accounts.go.set()
        await _landed()
    assert [entry.client_id for entry in await entries(log)] == ["c0", "c3"]
