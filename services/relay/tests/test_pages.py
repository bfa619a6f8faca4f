"""Pages: from memory, from the log, and what they say where there is nothing."""

import asyncio

import pytest

from libs.log.port import Partition
from libs.runtime.tasks import GroupTasks
from libs.testing.eventually import eventually
from libs.wire.api import PAGES, PageQuestion
from libs.wire.codec import pack
from services.relay.channel import RING_ENTRIES
from services.relay.handlers import BLOCK, Pages
from services.relay.tests.instance import (
    HOMES,
    NEWS,
    NOWHERE,
    SOON_S,
    Relay,
    WatchedLog,
    append,
    bare,
    claim,
    entries,
    home,
    identity,
)


@pytest.mark.law("L2")
async def test_a_page_holds_what_every_reader_folds(relay: Relay, log: WatchedLog) -> None:
    await append(log, 900, signalled=False)
    everything = await entries(log)
    for first in (1, 101, 301, 601, 650, 801, 890):
        page = await relay.page(first, 100)
        assert (page.head, page.first, page.epoch) == (900, 1, 1)
        assert list(page.entries) == everything[first - 1 : first + 99]


async def test_a_page_across_blocks_is_whole(relay: Relay, log: WatchedLog) -> None:
    await append(log, 600, signalled=False)
    page = await relay.page(151, 100)
    assert [entry.id for entry in page.entries] == list(range(151, 251))


async def test_beyond_the_known_head_the_log_is_asked(relay: Relay, log: WatchedLog) -> None:
    await append(log, 2)
    assert (await relay.page(1, 10)).head == 2
    await append(log, 3, signalled=False)
    page = await relay.page(4, 10)
    assert ([entry.id for entry in page.entries], page.head) == ([4, 5], 5)
    await append(log, 1, signalled=False)
    assert (await relay.page(1, 0)).head == 6
    nothing = await relay.page(7, 10)
    assert (nothing.entries, nothing.head) == ((), 6)


async def test_an_empty_channel_has_head_0(relay: Relay) -> None:
    page = await relay.page(1, 100)
    assert (page.entries, page.head, page.first) == ((), 0, 1)


async def test_many_who_want_a_block_share_one_read(log: WatchedLog) -> None:
    await append(log, BLOCK + RING_ENTRIES, signalled=False)
    async with bare(log) as (rings, _), asyncio.TaskGroup() as group:
        pages = Pages(rings, GroupTasks(group))
        question = PageQuestion(NEWS, -1, 1, BLOCK)
        await pages.page(question)
        before = log.reads
        log.go.clear()
        asking = [asyncio.create_task(pages.page(question)) for _ in range(20)]
        await eventually(lambda: log.reads > before, within_s=SOON_S, what="the read")
        log.go.set()
        found = await asyncio.gather(*asking)
    assert log.reads == before + 1
    assert {len(page.entries) for page in found} == {BLOCK}


async def test_pages_in_memory_cost_no_read(relay: Relay, log: WatchedLog) -> None:
    await append(log, 50, signalled=False)
    await relay.page(1, 0)
    before = log.reads
    assert len((await relay.page(11, 40)).entries) == 40
    assert log.reads == before


async def test_where_the_first_entry_is_gone_there_are_none(relay: Relay, log: WatchedLog) -> None:
    await append(log, 600, signalled=False)
    await relay.page(1, 0)
    await log.trim(Partition(HOMES[NEWS].topic, HOMES[NEWS].partition), 150)
    for _ in range(2):
        page = await relay.page(101, 100)
        assert (page.entries, page.first, page.head) == ((), 151, 600)
    assert (await relay.page(201, 100)).entries[0].id == 201


async def test_ids_below_a_claim_are_not_served(relay: Relay, log: WatchedLog) -> None:
    second = home(NEWS, 5, epoch=2, base_id=1_000_001)
    await append(log, 3)
    await claim(log, second)
    await append(log, 2, place=second, signalled=False)

    async def moved() -> bool:
        return (await relay.page(1, 0)).epoch == second.epoch

    await eventually(moved, within_s=SOON_S, what="the new claim")
    page = await relay.page(1_000_001, 10)
    assert ([entry.id for entry in page.entries], page.first) == ([1_000_001, 1_000_002], 1_000_001)
    assert (await relay.page(1, 10)).entries == ()


@pytest.mark.law("L3")
async def test_a_partition_that_was_cut_back_is_not_served(relay: Relay, log: WatchedLog) -> None:
    await append(log, 3, signalled=False)
    await relay.page(1, 10)
    log.cut_by = 1
    for first in (4, 1, 1):
        answer = await relay.ask(PageQuestion(NEWS, -1, first, 10))
        assert (answer.status_code, answer.json()["code"]) == (503, "service_away")
    log.cut_by = 0
    assert (await relay.page(1, 10)).head == 3


async def test_a_log_that_does_not_answer_is_said_so(relay: Relay, log: WatchedLog) -> None:
    await append(log, 600, signalled=False)
    await relay.page(1, 0)
    log.cut()
    for first in (1, 601):
        answer = await relay.ask(PageQuestion(NEWS, -1, first, 10))
        assert (answer.status_code, answer.json()["code"]) == (503, "service_away")
    log.heal()


@pytest.mark.parametrize(
    ("question", "status", "code"),
    [
        (PageQuestion(NOWHERE, -1, 1, 10), 404, "channel_unknown"),
        (PageQuestion("nonsense", -1, 1, 10), 404, "channel_unknown"),
        (PageQuestion(NEWS, 1_000, 1, 10), 503, "rebuilding"),
        (PageQuestion(NEWS, -1, 1, 101), 422, "field_invalid"),
        (PageQuestion(NEWS, -1, 1, -1), 422, "field_invalid"),
        (PageQuestion(NEWS, -1, -1, 1), 422, "field_invalid"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    relay: Relay, question: PageQuestion, status: int, code: str
) -> None:
    answer = await relay.ask(question)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_only_services_ask_for_pages(relay: Relay) -> None:
    question = pack(PageQuestion(NEWS, -1, 1, 1))
    assert (await relay.http.post(PAGES, content=question)).status_code == 401
    nonsense = await relay.http.post(PAGES, content=b"nonsense", headers=identity())
    assert nonsense.status_code == 422
