"""A reply names a message of its channel that is shown, and carries who wrote that."""

from collections.abc import Sequence

import pytest

from libs.log.faults import FaultyLog, Script
from libs.log.port import Log, Partition, Stored
from libs.wire.fold import WINDOW
from libs.wire.records import Message, Record, decode, encode
from services.chat.model import Key
from services.chat.past import ANSWERED_MAX, READ_BACK_MAX, Past
from services.chat.tests.instance import (
    ANNA,
    BEN,
    HOME,
    PARTITION,
    Instance,
    append,
    records,
    running,
)

OLD = WINDOW + 100


class CountingLog(FaultyLog):
    """Keeps the reads of the channel."""

    def __init__(self, inner: Log) -> None:
        super().__init__(inner, Script())
        self.reads: list[tuple[int, int]] = []

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        if partition == PARTITION:
            self.reads.append((start, limit))
        return await super().read(partition, start, limit=limit)


async def _reply(chat: Instance, ident: int, client_id: str = "r1") -> str:
    answer = await chat.post("a reply", client_id, reply_to=ident)
    return str(answer.json().get("code", "fine"))


async def _authors(log: Log) -> list[str | None]:
    found = [decode(stored.value) for stored in await records(log)]
    return [r.reply_author for r in found if isinstance(r, Message) and r.reply_to is not None]


async def _fill(log: Log, count: int, name: str = "f") -> None:
    for filler in range(count):
        await append(log, f"{name}{filler}", who=ANNA)


async def test_a_reply_carries_the_author_of_a_recent_message(chat: Instance, log: Log) -> None:
    await chat.post("hello", "c1", who=BEN)
    # By another instance: not known here yet.
    other = await append(log, "c2", who=ANNA)
    assert await _reply(chat, other, "r1") == "fine"
    assert await _reply(chat, 1, "r2") == "fine"
    assert await _authors(log) == [ANNA, BEN]


@pytest.mark.parametrize("distance", [0, OLD])
async def test_what_is_no_message_that_is_shown_is_unknown(log: Log, distance: int) -> None:
    await append(log, "c1", who=BEN)
    void = await append(log, "c1", who=BEN)
    foreign = HOME.id_of((await log.append(PARTITION, b"no record")).offset)
    other = HOME.id_of((await log.append(PARTITION, encode(Record(type="pin")))).offset)
    await _fill(log, distance)
    async with running(log) as chat:
        for number, ident in enumerate((void, foreign, other, 5 + distance, 10**9)):
            assert await _reply(chat, ident, f"r{number}") == "reply_unknown"
        answer = await chat.post("a reply", "r9", reply_to=void)
        assert (answer.status_code, answer.json()["field"]) == (422, "reply_to")
        assert await _reply(chat, 1, "r10") == "fine"


async def test_a_void_whose_first_is_before_the_window_is_unknown(log: Log) -> None:
    """The instance begins to read between the two."""
    await append(log, "c1", who=BEN)
    await _fill(log, WINDOW - 10)
    void = await append(log, "c1", who=BEN)
    await _fill(log, 100, "g")
    async with running(log) as chat:
        assert await _reply(chat, void) == "reply_unknown"
        # The first is named; it takes a read, for it is older than the window.
        assert await _reply(chat, 1) == "fine"


async def test_an_old_message_takes_one_read_for_all_who_answer_it(log: Log) -> None:
    counting = CountingLog(log)
    first = await append(log, "c1", who=BEN)
    await _fill(log, OLD)
    middle = await append(log, "c2", who=BEN)
    await _fill(log, OLD, "g")
    async with running(counting) as chat:
        await chat.post(client_id="c0")
        counting.reads.clear()
        for number in range(5):
            assert await _reply(chat, first, f"r{number}") == "fine"
            assert await _reply(chat, middle, f"s{number}") == "fine"
        offset = HOME.offset_of(middle)
        assert counting.reads == [(0, 1), (offset - WINDOW, WINDOW + 1)]
    assert await _authors(log) == [BEN] * 10


async def test_a_recent_message_takes_no_read(log: Log) -> None:
    counting = CountingLog(log)
    async with running(counting) as chat:
        await chat.post(client_id="c0", who=BEN)
        counting.reads.clear()
        assert await _reply(chat, 1) == "fine"
    assert counting.reads == []


async def test_what_the_log_no_longer_has_is_unknown(log: Log) -> None:
    await _fill(log, 20)
    async with running(log) as chat:
        await chat.post(client_id="c0")
        await _fill(log, WINDOW, "g")
        await log.trim(PARTITION, 10)
    async with running(log) as fresh:
        assert await _reply(fresh, 5) == "reply_unknown"
        assert await _reply(fresh, 15) == "fine"


async def test_a_log_that_cannot_be_read_is_not_a_no(log: Log) -> None:
    await append(log, "c1")
    await _fill(log, OLD)
    faulty = FaultyLog(log, Script(reads=[False] * 4))
    async with running(faulty) as chat:
        await chat.post(client_id="c0")
        faulty.cut()
        assert await _reply(chat, 1) == "service_away"
        faulty.heal()
        assert await _reply(chat, 1) == "fine"


async def test_looking_back_and_remembering_have_bounds(log: Log) -> None:
    counting = CountingLog(log)

    async def read(start: int, limit: int) -> Sequence[Stored]:
        return await counting.read(PARTITION, start, limit=limit)

    past = Past(HOME, read)
    await _fill(log, ANSWERED_MAX + 1)
    end = ANSWERED_MAX + 1
    for ident in range(1, end + 1):
        assert await past.author_of(ident, end) == ANNA
    counting.reads.clear()
    assert await past.author_of(end, end) == ANNA
    assert counting.reads == []
    assert await past.author_of(1, end) == ANNA
    assert len(counting.reads) == 1
    counting.reads.clear()
    assert await past.written_since(Key(BEN, "c1"), 0, READ_BACK_MAX * 2) is None
    assert sum(limit for _, limit in counting.reads) == READ_BACK_MAX
