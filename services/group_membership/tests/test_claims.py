"""Placement under competition: no partition has two owners, no channel two places."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from libs.log.port import Log, Partition
from libs.runtime.directory import DirectoryReader
from libs.store import Redis
from libs.wire.codes import TryAgain
from libs.wire.records import Claim, decode
from libs.wire.topics import DIRECTORY, pool
from services.group_membership import claims, journal, pools
from services.group_membership.model import Draft, Wish, draft
from services.group_membership.settings import Settings
from services.group_membership.tests.instance import (
    ANNA,
    BEN,
    CLOCK,
    CrashLog,
    Instance,
    Shown,
    running,
    user,
)


async def folded(log: Log) -> DirectoryReader:
    """The directory, read from its start."""
    reader = DirectoryReader(log, CLOCK)
    await reader.refresh()
    return reader


async def claims_in(log: Log) -> list[Claim]:
    records = await log.read(Partition(DIRECTORY.name, 0), 0, limit=1_000)
    decoded = [decode(stored.value) for stored in records]
    return [record for record in decoded if isinstance(record, Claim)]


def placer(log: Log, reader: DirectoryReader, seed: int, *, tries: int = 32) -> Any:
    """Claims of one instance with its own directory, and a journal without a view."""
    made = pools.Pools(log, reader.fold, partitions=8, most=1)
    written = journal.Journal(log, Shown())
    placing = claims.Claims(log, reader, made, tries=tries, random=Random(seed))
    return lambda wanted: placing.place(wanted, written)


def wanted(owner: str, client_id: str = "c") -> Draft:
    return draft(owner, Wish(client_id, "group", title="T"))


@pytest.mark.parametrize("seed", range(5))
async def test_eight_at_once_take_eight_partitions(log: Log, seed: int) -> None:
    readers = [await folded(log) for _ in range(8)]
    placers = [placer(log, reader, seed) for reader in readers]
    placed = await asyncio.gather(*(place(wanted(user(n))) for n, place in enumerate(placers)))
    assert all(won for _, won in placed)
    assert {(p.topic, p.partition) for p, _ in placed} == {(pool(0, 8).name, n) for n in range(8)}
    # All picked the same at random, so most claims of the log came second and count for nobody.
    assert len(await claims_in(log)) > 8
    fold = (await folded(log)).fold
    assert [fold.find(p.channel) for p, _ in placed] == [p for p, _ in placed]
    with pytest.raises(TryAgain, match="no_room"):
        await placers[0](wanted(ANNA, "one too many"))


async def test_one_channel_claimed_by_eight_has_one_place(log: Log) -> None:
    placers = [placer(log, await folded(log), seed) for seed in range(8)]
    placed = await asyncio.gather(*(place(wanted(ANNA)) for place in placers))
    assert len({placement for placement, _ in placed}) == 1
    assert sum(won for _, won in placed) == 1


async def test_who_loses_every_try_is_told_to_come_again(log: Log) -> None:
    stale, other = await folded(log), await folded(log)
    losing = placer(log, stale, 1, tries=1)
    winning = placer(log, other, 1)
    await asyncio.gather(winning(wanted(BEN)), _lost(losing))


async def _lost(place: Any) -> None:
    with pytest.raises(TryAgain, match="send the same again"):
        await place(wanted(ANNA))


async def test_ids_begin_at_the_end_that_the_partition_has(log: Log) -> None:
    await log.create_topics([pool(0, 1)])
    for _ in range(3):
        await log.append(Partition(pool(0, 1).name, 0), b"from before")
    placement, _ = await placer(log, await folded(log), 1)(wanted(ANNA))
    assert (placement.base_offset, placement.id_of(3)) == (3, 1)


async def test_the_next_pool_is_made_before_the_last_is_full_and_keeps_its_own_size(
    log: Log,
) -> None:
    await log.create_topics([pool(0, 10)])
    reader = await folded(log)
    made = pools.Pools(log, reader.fold, partitions=4, most=2)
    assert made.lacks()
    await made.ensure()
    assert (made.sizes, made.lacks()) == ((10,), [])
    placing = claims.Claims(log, reader, made, tries=1, random=Random(1))
    written = journal.Journal(log, Shown())
    for number in range(9):
        await placing.place(wanted(user(number)), written)
    await made.ensure()
    assert made.sizes == (10, 4)
    assert len(made.free()) == 5


async def test_without_room_nothing_is_written_and_the_answer_is_507(
    log: Log, store: Redis, tmp_path: Path
) -> None:
    full = Settings(pool_partitions=1, max_pools=1)
    async with running(log, store, tmp_path, full) as service:
        await service.made(ANNA)
        body = {"client_id": "c", "kind": "group", "title": "T", "members": [ANNA]}
        answer = await service.ask(BEN, "POST", "/v1/channels", json=body)
    assert (answer.status_code, answer.json()["code"]) == (507, "no_room")
    assert len(await claims_in(log)) == 1


async def test_instances_at_once_give_each_channel_one_place(
    log: Log, store: Redis, tmp_path: Path
) -> None:
    few = Settings(pool_partitions=4, max_pools=3, claim_tries=32)
    async with AsyncExitStack() as stack:
        services = [
            await stack.enter_async_context(running(log, store, tmp_path, few)) for _ in range(3)
        ]
        made = await asyncio.gather(
            *(services[n % 3].made(user(n // 2), members=[BEN]) for n in range(12)),
        )
    assert len({one["id"] for one in made}) == 6
    fold = (await folded(log)).fold
    places = {(p.topic, p.partition) for one in made if (p := fold.find(one["id"]))}
    assert (fold.channels, len(places)) == (6, 6)


async def test_both_sides_of_a_direct_channel_at_once_make_one(
    log: Log, store: Redis, tmp_path: Path
) -> None:
    async with (
        running(log, store, tmp_path) as one,
        running(log, store, tmp_path) as two,
    ):
        made = await asyncio.gather(
            one.made(ANNA, kind="direct", title="", client_id="a", members=[BEN]),
            two.made(BEN, kind="direct", title="", client_id="b", members=[ANNA]),
        )
        assert made[0]["id"] == made[1]["id"]
        assert {one["role"] for one in made} == {"owner", "member"}
    assert (await folded(log)).fold.channels == 1


APPENDS = 5
FULL_WISH = {
    "kind": "group",
    "handle": "rooms",
    "members": [BEN, user(7)],
    "posting": "owner",
}


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("at", range(1, APPENDS + 1))
async def test_the_same_client_id_heals_a_crash_at_each_append(
    log: Log, store: Redis, tmp_path: Path, *, at: int, written: bool
) -> None:
    crashing = CrashLog(log, at, written=written)
    async with running(crashing, store, tmp_path) as service:
        first = await service.ask(ANNA, "POST", "/v1/channels", json=_body())
        assert crashing.appends >= at
        # Of a claim that was written the instance reads that it counts: nothing is left to heal.
        assert first.status_code == (201 if written and at == APPENDS else 503)
        again = await service.ask(ANNA, "POST", "/v1/channels", json=_body())
        assert again.status_code == (200 if first.status_code == 201 else 201)
    async with running(log, store, tmp_path) as fresh:
        await _is_whole(fresh, again.json())


def _body() -> dict[str, object]:
    return {"client_id": "c1", "title": "T", **FULL_WISH}


async def _is_whole(service: Instance, made: dict[str, Any]) -> None:
    assert (made["posting"], made["handle"]) == ("owner", "rooms")
    for who in (BEN, user(7)):
        assert (await service.may(who, made["id"])).role == "member"
    found = await service.done(BEN, "GET", "/v1/channels?handle=rooms")
    assert [item["id"] for item in found["items"]] == [made["id"]]
