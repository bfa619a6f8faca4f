"""The post path with several instances, and with a log that fails."""

import asyncio
from collections.abc import Iterable, Mapping

from libs.log.faults import Fault, FaultyLog, Script
from libs.log.port import Ends, Log, Partition
from libs.testing.eventually import eventually
from libs.wire.fold import WINDOW
from libs.wire.records import Signal, decode
from libs.wire.topics import SIGNALS
from services.chat.settings import Settings
from services.chat.tests.instance import (
    CHANNEL,
    PARTITION,
    SOON_S,
    HeldLog,
    Instance,
    append,
    entries,
    records,
    running,
)


async def _held(log: HeldLog, count: int = 1) -> None:
    await eventually(lambda: log.held == count, within_s=SOON_S, what=f"{count} appends wait")


async def test_two_requests_for_one_post_share_one_append(log: Log) -> None:
    held = HeldLog(log)
    async with running(held) as chat:
        one = asyncio.create_task(chat.post())
        await _held(held)
        two = asyncio.create_task(chat.post())
        other = await chat.post("another text")
        assert (other.status_code, other.json()["code"]) == (422, "client_id_reused")
        held.go.set()
        answers = [await one, await two]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert len(await entries(log)) == 1


async def test_a_post_that_another_instance_wrote_meanwhile_gets_that_id(log: Log) -> None:
    held = HeldLog(log)
    async with running(held) as chat:
        waiting = asyncio.create_task(chat.post())
        await _held(held)
        await append(log, "x", "of somebody else")
        first = await append(log, "c1")
        held.go.set()
        answer = await waiting
        assert (answer.status_code, answer.json()["id"]) == (200, first)
        again = await chat.post()
        assert (again.status_code, again.json()["id"]) == (200, first)
    assert [(entry.id, entry.dup_of) for entry in await entries(log)] == [
        (1, None),
        (2, None),
        (3, 2),
    ]


async def test_another_body_that_landed_first_is_told_after_the_append(log: Log) -> None:
    held = HeldLog(log)
    async with running(held) as chat:
        waiting = asyncio.create_task(chat.post())
        await _held(held)
        await append(log, "c1", "another text")
        held.go.set()
        assert (await waiting).json()["code"] == "client_id_reused"


async def test_many_concurrent_posts_have_dense_ids(chat: Instance, log: Log) -> None:
    answers = await asyncio.gather(*(chat.post(f"t{n}", f"c{n}") for n in range(50)))
    assert sorted(answer.json()["id"] for answer in answers) == list(range(1, 51))
    again = await asyncio.gather(*(chat.post(f"t{n}", f"c{n}") for n in range(50)))
    assert [a.json() for a in again] == [a.json() for a in answers]
    assert len(await entries(log)) == 50


async def test_two_instances_that_post_in_turn_agree(chat: Instance, log: Log) -> None:
    async with running(log) as other:
        for number in range(6):
            poster = (chat, other)[number % 2]
            assert (await poster.post(client_id=f"c{number}")).json()["id"] == number + 1
        for number in range(6):
            for instance in (chat, other):
                answer = await instance.post(client_id=f"c{number}")
                assert (answer.status_code, answer.json()["id"]) == (200, number + 1)


async def test_after_the_deadline_the_outcome_is_unknown_and_a_retry_finds_it(log: Log) -> None:
    held = HeldLog(log)
    async with running(held, Settings(answer_deadline_s=0.05)) as chat:
        answer = await chat.post()
        assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
        assert answer.headers["retry-after"] == "1"
        held.go.set()
        found = await eventually(chat.post, within_s=SOON_S, what="the retry")
        assert (found.status_code, found.json()["id"]) == (200, 1)
    assert len(await entries(log)) == 1


async def test_an_unknown_append_that_was_written_is_found_by_the_retry(log: Log) -> None:
    faulty = FaultyLog(log, Script([Fault.APPEND_THEN_ERROR]))
    async with running(faulty) as chat:
        assert (await chat.post()).json()["code"] == "outcome_unknown"
        answer = await chat.post(retry=True)
        assert (answer.status_code, answer.json()["id"]) == (200, 1)
    assert len(await records(log)) == 1


async def test_an_append_that_lands_after_its_retry_shows_nothing_twice(log: Log) -> None:
    faulty = FaultyLog(log, Script([Fault.ERROR_THEN_LATE_APPEND]))
    async with running(faulty) as chat:
        assert (await chat.post()).json()["code"] == "outcome_unknown"
        # Behind the void entry at which the first one was not found.
        assert (await chat.post(retry=True)).json()["id"] == 2
        await faulty.release()
        assert (await chat.post(client_id="c2")).json()["id"] == 4
        assert (await chat.post(retry=True)).json()["id"] == 2
    assert [entry.dup_of for entry in await entries(log)] == [None, None, 2, None]


async def test_what_was_not_written_is_said_so(log: Log) -> None:
    faulty = FaultyLog(log, Script([Fault.ERROR_BEFORE]))
    async with running(faulty) as chat:
        answer = await chat.post()
        assert (answer.status_code, answer.json()["code"]) == (503, "not_written")
        assert (await chat.post()).status_code == 201


async def test_a_log_that_cannot_be_read_is_not_written_to(log: Log) -> None:
    faulty = FaultyLog(log, Script())
    async with running(faulty) as chat:
        faulty.cut()
        answer = await chat.post()
        assert (answer.status_code, answer.json()["code"]) == (503, "service_away")
        assert answer.headers["retry-after"] == "1"
        # What was sent before may be in there.
        assert (await chat.post(client_id="c0", retry=True)).json()["code"] == "outcome_unknown"
        faulty.heal()
        assert (await chat.post()).status_code == 201


async def test_a_restarted_instance_finds_the_first_id(log: Log) -> None:
    async with running(log) as chat:
        await chat.post()
    async with running(log) as fresh:
        answer = await fresh.post()
        assert (answer.status_code, answer.json()["id"]) == (200, 1)


async def test_a_chain_of_duplicates_leads_to_its_first_from_empty_memory(log: Log) -> None:
    """Each repetition is within 512 of the one before, the first is beyond them all."""
    first = await append(log, "c1")
    for turn in range(3):
        for filler in range(WINDOW - 100):
            await append(log, f"f{turn}-{filler}")
        await append(log, "c1")
    async with running(log) as fresh:
        answer = await fresh.post()
        assert (answer.status_code, answer.json()["id"]) == (200, first)
        assert (await fresh.post("other")).json()["code"] == "client_id_reused"


async def test_beyond_the_window_a_client_id_is_new_again(log: Log) -> None:
    await append(log, "c1")
    for filler in range(WINDOW):
        await append(log, f"f{filler}")
    async with running(log) as fresh:
        answer = await fresh.post()
        assert (answer.status_code, answer.json()["id"]) == (201, WINDOW + 2)


async def test_more_posts_than_the_bound_are_refused(log: Log) -> None:
    held = HeldLog(log)
    async with running(held, Settings(posts_in_flight=1)) as chat:
        waiting = asyncio.create_task(chat.post())
        await _held(held)
        assert (await chat.post(client_id="c2")).json()["code"] == "not_written"
        held.go.set()
        assert (await waiting).status_code == 201


async def test_a_partition_that_was_cut_back_is_refused(log: Log) -> None:
    """The log is exchanged for an empty one below a running instance."""
    swapped = Swapped(log, PARTITION)
    async with running(swapped) as chat:
        await chat.post()
        await chat.post(client_id="c2")
        swapped.is_cut_back = True
        for client_id in ("c3", "c4"):
            answer = await chat.post(client_id=client_id, retry=True)
            assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
        assert (await chat.post(client_id="c5")).json()["code"] == "service_away"
        swapped.is_cut_back = False
        assert (await chat.post(client_id="c5")).json()["id"] == 3


class Swapped(FaultyLog):
    """Says that a partition ends one record earlier than it does."""

    def __init__(self, inner: Log, partition: Partition) -> None:
        super().__init__(inner, Script())
        self._partition = partition
        self.is_cut_back = False

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        found = dict(await super().ends(partitions))
        if self.is_cut_back and self._partition in found:
            ends = found[self._partition]
            found[self._partition] = ends._replace(next=ends.next - 1)
        return found


async def test_each_append_is_signalled_with_its_record(chat: Instance, log: Log) -> None:
    await chat.post("small", "c1")
    await chat.post("x" * 4_096, "c2")
    partition = Partition(SIGNALS.name, SIGNALS.partition_of(CHANNEL))

    async def signals() -> list[Signal]:
        found = [decode(s.value) for s in await log.read(partition, 0, limit=10)]
        return [s for s in found if isinstance(s, Signal)] if len(found) == 2 else []

    small, large = await eventually(signals, within_s=SOON_S, what="two signals")
    stored = await records(log)
    assert (small.id, small.record, small.at_ms) == (1, stored[0].value, stored[0].at_ms)
    assert (large.id, large.record) == (2, None)
