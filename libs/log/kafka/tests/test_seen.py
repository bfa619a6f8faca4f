"""What was seen of a partition is not taken back by a broker that knows less."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.log.contract import fresh, offsets
from libs.log.kafka import KafkaLog, open_kafka, reader
from libs.log.kafka.seen import Seen, check
from libs.log.port import Ends, LogUnavailable, Partition

PLACE = Partition("pool-0", 3)
OTHER = Partition("pool-0", 4)
RECORDS = 30


def test_the_furthest_counts() -> None:
    seen = Seen()
    assert seen.least(PLACE) == 0
    for following in (4, 9, 7):
        seen.note(PLACE, following)
    assert seen.least(PLACE) == 9
    assert seen.leasts([PLACE, OTHER]) == {PLACE: 9}


def test_an_end_behind_what_was_seen_is_named() -> None:
    check({PLACE: Ends(0, 9), OTHER: Ends(0, 0)}, {PLACE: 9})
    with pytest.raises(LogUnavailable, match="goes to 9 at least, but its leader tells of 8"):
        check({PLACE: Ends(0, 8), OTHER: Ends(0, 0)}, {PLACE: 9})


@pytest.fixture
async def ahead(bootstrap: str) -> AsyncIterator[tuple[KafkaLog, Partition]]:
    """A log that was told of one record more than its broker has."""
    log = await open_kafka(bootstrap, single=True)
    place = Partition((await fresh(log)).name, 0)
    await asyncio.gather(*(log.append(place, b"x") for _ in range(RECORDS)))
    log._seen.note(place, RECORDS + 1)
    yield log, place
    await log.close()


async def test_a_broker_that_knows_less_is_not_believed(
    ahead: tuple[KafkaLog, Partition], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, place = ahead
    monkeypatch.setattr(reader, "READ_S", 1.0)
    with pytest.raises(LogUnavailable, match="goes to 31 at least"):
        await log.ends([place])
    for start in (RECORDS - 1, RECORDS, RECORDS + 1):
        with pytest.raises(LogUnavailable):
            await log.read(place, start, limit=10)
    # What is asked for is all there: nothing is said of the end.
    assert offsets(await log.read(place, 0, limit=RECORDS)) == list(range(RECORDS))


async def test_a_page_that_waits_for_the_missing_record_gives_it(
    ahead: tuple[KafkaLog, Partition],
) -> None:
    log, place = ahead
    reading = asyncio.create_task(log.read(place, RECORDS, limit=10))
    await asyncio.wait([reading], timeout=0.2)
    assert not reading.done()
    appended = await log.append(place, b"late")
    assert offsets(await reading) == [appended.offset]
