"""A view is the fold of its topics, however often it was interrupted, flushed or cut off."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from libs.log.faults import FaultyLog, Script
from libs.log.port import Partition, Stored
from libs.log.sqlite import SqliteLog
from libs.runtime.service import Ports
from libs.runtime.tests.shelf import Dump, Shelf, dump, items, position, put, reaches, shows, whole
from libs.runtime.tests.world import (
    FIRST,
    SOON_S,
    THINGS,
    CutStore,
    FaultyStore,
    running,
    turned,
    world,
)
from libs.runtime.view import GIVEN_S_MAX, REACH_S_MAX, RETRY_S, WATCH_S, View
from libs.store import Pipeline, Redis, open_store
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire.codes import OutcomeUnknown
from libs.wire.records import Heartbeat
from libs.wire.topics import Cleanup, Topic

PARTITIONS = [Partition(THINGS.name, index) for index in range(THINGS.partitions)]


async def test_a_batch_and_its_position_are_stored_together() -> None:
    async with world() as ports:
        await put(ports, range(3))
        async with Shelf(ports).living() as view:
            assert await items(ports.store) == [0, 1, 2]
            assert await position(ports.store, view) == b"3"
            await put(ports, [3])
            await reaches(ports, view, 3)
            assert await items(ports.store) == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.law("L6")
async def test_a_view_that_was_interrupted_is_the_view_from_the_start(seed: int) -> None:
    dice = random.Random(seed)
    async with world() as ports:
        for _ in range(4):
            for value in range(dice.randrange(1, 40)):
                await put(ports, [value], dice.choice(PARTITIONS))
            await interrupted(ports, dice)
        resumed = await built(ports, ports.store)
        assert await built(ports, open_store("")) == resumed


@pytest.mark.parametrize("cut_after", range(1, 6))
@pytest.mark.law("L6")
async def test_a_view_that_dies_when_a_batch_is_in_goes_on_after_that_batch(cut_after: int) -> None:
    async with world() as ports:
        for partition in PARTITIONS:
            await put(ports, range(5), partition)
        store = CutStore(ports.store, cut_after)
        dying = Shelf(replace(ports, store=store.as_redis()))
        async with running(dying.view.run):
            await eventually(
                lambda: store.is_cut.is_set() or not dying.view.lacks(),
                within_s=SOON_S,
                what="a cut",
            )
        resumed = await built(ports, ports.store)
        assert await built(ports, open_store("")) == resumed


@pytest.mark.parametrize("cut_after", range(1, 6))
async def test_what_a_dead_owner_did_not_tell_is_told_by_the_next(cut_after: int) -> None:
    async with world() as ports:
        for partition in PARTITIONS:
            await put(ports, range(5), partition)
        store = CutStore(ports.store, cut_after)
        dying = Shelf(replace(ports, store=store.as_redis()))
        async with running(dying.view.run):
            await eventually(
                lambda: store.is_cut.is_set() or not dying.view.lacks(),
                within_s=SOON_S,
                what="a cut",
            )
        # The rest was told by the first one, and is not told again.
        heir = Shelf(ports)
        every = {(partition, offset) for partition in PARTITIONS for offset in range(5)}
        async with heir.living():
            await eventually(
                lambda: {*dying.told, *heir.told} == every, within_s=SOON_S, what="all is told"
            )
        assert len(dying.told) + len(heir.told) == len(every)


async def interrupted(ports: Ports, dice: random.Random) -> None:
    """A new instance begins and is stopped in the middle of a fold."""
    shelf = Shelf(ports)
    left = dice.randrange(1, 5)
    reached = asyncio.Event()

    async def stop_soon() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            reached.set()
            await asyncio.Event().wait()

    shelf.in_fold = stop_soon
    async with running(shelf.view.run):
        await eventually(
            lambda: reached.is_set() or not shelf.view.lacks(), within_s=SOON_S, what="a cut"
        )


async def built(ports: Ports, store: Redis) -> Dump:
    async with Shelf(replace(ports, store=store)).living():
        return await dump(store)


async def test_nothing_is_settled_before_the_view_knows_how_far_the_log_is() -> None:
    async with world() as ports:
        shelf = Shelf(ports)
        assert shelf.view.lacks() == ["view: has not begun"]
        assert not shelf.view.settled(FIRST, b"5")


async def test_an_empty_partition_is_settled() -> None:
    async with world() as ports, Shelf(ports).living() as view:
        assert view.settled(FIRST, None)


async def test_a_view_is_not_ready_while_it_reads_what_was_there_at_its_start() -> None:
    async with world() as ports:
        await put(ports, range(3))
        shelf, hold = Shelf(ports), asyncio.Event()
        shelf.in_fold = hold.wait
        async with running(shelf.view.run):
            reading = ["view: 1 partitions are being read"]
            await eventually(lambda: shelf.view.lacks() == reading, within_s=SOON_S, what="reading")
            assert not shelf.view.settled(FIRST, await position(ports.store, shelf.view))
            hold.set()
            await whole(shelf.view)
            assert shelf.view.settled(FIRST, await position(ports.store, shelf.view))


async def test_a_member_without_partition_is_not_ready_until_it_is_one_too_many() -> None:
    async with world() as ports, contextlib.AsyncExitStack() as others:
        for _ in range(THINGS.partitions):
            await others.enter_async_context(Shelf(ports).living())
        surplus = Shelf(ports).view
        async with running(surplus.run):
            waits = ["view: its group gave it no partition yet"]
            await eventually(lambda: surplus.lacks() == waits, within_s=SOON_S, what="waiting")
            await turned(ports).elapse(GIVEN_S_MAX)
            assert surplus.lacks() == []


@pytest.mark.law("L7")
async def test_a_flushed_redis_is_rebuilt_although_nothing_is_appended() -> None:
    async with world() as ports:
        shelf = Shelf(ports)
        async with shelf.living() as view:
            # Folded after the start, so that the end at the start is no goal any more.
            await put(ports, range(5))
            await shows(ports.store, range(5))
            hold = asyncio.Event()
            shelf.in_fold = hold.wait
            await ports.store.flushall()
            assert not view.settled(FIRST, None)
            await turned(ports).elapse(WATCH_S)
            await eventually(view.lacks, within_s=SOON_S, what="a view that noticed")
            assert not view.settled(FIRST, await position(ports.store, view))
            hold.set()
            await shows(ports.store, range(5))
            await whole(view)
            assert view.settled(FIRST, b"5")


async def test_a_flush_is_noticed_by_the_next_append_as_well() -> None:
    async with world() as ports, Shelf(ports).living():
        await put(ports, range(3))
        await shows(ports.store, range(3))
        await ports.store.flushall()
        await put(ports, [3])
        await shows(ports.store, range(4))


async def test_an_owner_whose_position_was_moved_writes_nothing() -> None:
    async with world() as ports, Shelf(ports).living() as view:
        await put(ports, range(2))
        await shows(ports.store, range(2))
        await ports.store.set(view.position_key(FIRST), 4)
        await put(ports, range(2, 6))
        await reaches(ports, view, 5)
        assert await items(ports.store) == [0, 1, 4, 5]


@pytest.mark.law("L6")
async def test_an_owner_that_is_overtaken_amid_a_fold_writes_nothing() -> None:
    async with world() as ports:
        shelf = Shelf(ports)
        async with shelf.living() as view:
            overtaken = asyncio.Event()

            async def overtake() -> None:
                if not overtaken.is_set():
                    overtaken.set()
                    await ports.store.set(view.position_key(FIRST), 1)

            shelf.in_fold = overtake
            await put(ports, [0, 1])
            await reaches(ports, view, 1)
            assert await items(ports.store) == [1]


async def test_reached_gives_up_as_unknown_for_the_record_is_written() -> None:
    async with world() as ports:
        view, clock = Shelf(ports).view, turned(ports)
        waiting = ports.tasks.spawn(missed(view), name="reached")
        await eventually(lambda: clock.sleeping() == 1, within_s=SOON_S, what="a wait")
        await clock.elapse(REACH_S_MAX + 0.1)
        await waiting


async def missed(view: View) -> None:
    with pytest.raises(OutcomeUnknown) as fault:
        await view.reached(FIRST, 0)
    assert fault.value.code.name == "outcome_unknown"


async def test_reached_is_unknown_and_not_an_error_of_the_driver_when_redis_is_away() -> None:
    async with world() as ports:
        store, clock = FaultyStore(ports.store), turned(ports)
        store.is_away = True
        view = Shelf(replace(ports, store=store.as_redis())).view
        waiting = ports.tasks.spawn(missed(view), name="reached")
        await eventually(lambda: clock.sleeping() == 1, within_s=SOON_S, what="a wait")
        await clock.elapse(REACH_S_MAX + 0.1)
        await waiting


async def test_a_view_says_that_redis_is_away_and_goes_on_when_it_is_back() -> None:
    async with world() as ports:
        store, clock = FaultyStore(ports.store), turned(ports)
        async with Shelf(replace(ports, store=store.as_redis())).living() as view:
            store.is_away = True
            await put(ports, range(3))
            away = ["view: no route to Redis"]
            await eventually(lambda: view.lacks() == away, within_s=SOON_S, what="away")
            await clock.elapse(RETRY_S * 3)
            assert view.lacks() == away
            store.is_away = False
            await clock.elapse(RETRY_S)
            await shows(ports.store, range(3))
            await whole(view)


async def test_a_view_says_that_the_log_is_away_and_goes_on_when_it_is_back() -> None:
    async with world() as ports:
        log, clock = FaultyLog(ports.log, Script()), turned(ports)
        async with Shelf(replace(ports, log=log)).living() as view:
            log.cut()
            await eventually(view.lacks, within_s=SOON_S, what="away")
            assert view.lacks() == ["view: cut off from the log"]
            await put(ports, range(3))
            log.heal()
            await clock.elapse(RETRY_S)
            await shows(ports.store, range(3))
            await whole(view)


async def test_two_instances_share_partitions_and_both_know_what_is_settled() -> None:
    async with world() as ports:
        one, two = Shelf(ports), Shelf(ports)
        async with one.living():
            async with two.living():
                await both_take(ports, one, two)
                await all_settled(ports, one.view)
                await all_settled(ports, two.view)
            one.taken.clear()
            for partition in PARTITIONS:
                await put(ports, [99], partition)
            await eventually(
                lambda: one.taken == set(PARTITIONS), within_s=SOON_S, what="one has all again"
            )
        shelves = [await items(ports.store, partition) for partition in PARTITIONS]
        assert all(shelf == [*range(len(shelf) - 1), 99] for shelf in shelves)


async def all_settled(ports: Ports, view: View) -> None:
    for partition, ends in (await ports.log.ends(PARTITIONS)).items():
        await reaches(ports, view, ends.next - 1, partition)
        assert view.settled(partition, await position(ports.store, view, partition))


async def both_take(ports: Ports, one: Shelf, two: Shelf) -> None:
    """Append to every partition until each instance got its part of them."""
    for turn in range(50):
        one.taken.clear()
        two.taken.clear()
        for partition in PARTITIONS:
            await put(ports, [turn], partition)
        await eventually(
            lambda: one.taken | two.taken == set(PARTITIONS), within_s=SOON_S, what="all"
        )
        if two.taken and not one.taken & two.taken:
            return
    raise AssertionError("the second instance gets nothing")


async def test_an_instance_that_only_watched_knows_how_far_the_view_was() -> None:
    """Nothing was read through it since, so only its watch can tell that a flush lost something."""
    async with world() as ports:
        clock = VirtualClock()
        async with Shelf(ports).living():
            await put(ports, [0])
            await shows(ports.store, [0])
            idle = View("shop", [THINGS], no_fold, ports=replace(ports, clock=clock))
            async with running(idle.run):
                await whole(idle)
                await put(ports, range(1, 10))
                await shows(ports.store, range(10))
                await clock.elapse(WATCH_S)
                await eventually(
                    lambda: clock.sleeping() == 1, within_s=SOON_S, what="a watch that looked"
                )
                await ports.store.flushall()
                assert not idle.settled(FIRST, None)
                assert not idle.settled(FIRST, b"3")
                assert idle.settled(FIRST, b"10")


async def no_fold(*_: object) -> None:
    return None


async def test_a_partition_whose_last_records_were_compacted_away_is_read_to_its_end() -> None:
    """Its end is not reached by reading; the view is whole nevertheless, and goes on from there."""
    kept = Topic(
        "kept",
        partitions=1,
        cleanup=Cleanup.COMPACT,
        key="thing",
        holds=(Heartbeat,),
        writers=("shop",),
        readers=("shop",),
    )
    only = Partition(kept.name, 0)
    async with world() as ports:
        await ports.log.create_topics([kept])
        for value in (b"1", b""):
            await ports.log.append(only, value, key=b"a")
        turned(ports).advance(25 * 3_600)
        await ports.log.append(only, b"2", key=b"b")
        await ports.log.append(only, b"", key=b"b")
        turned(ports).advance(25 * 3_600)
        log = cast(SqliteLog, ports.log)
        await log.sweep()
        assert not await log.read(only, 0, limit=10)
        seen: list[int] = []

        async def fold(_: Pipeline, batch: Sequence[Stored]) -> None:
            seen.extend(stored.offset for stored in batch)

        view = View("shop", [kept], fold, ports=ports)
        async with running(view.run):
            await eventually(lambda: _whole_later(ports, view), within_s=SOON_S, what="whole")
            # Nothing of it is left to tell either: its owner would seem to lag for ever.
            assert view.told() == {only: (await ports.log.ends([only]))[only].next}
            written = await ports.log.append(only, b"3", key=b"c")
            await reaches(ports, view, written.offset, only)
        assert seen == [written.offset]


async def _whole_later(ports: Ports, view: View) -> bool:
    await turned(ports).elapse(WATCH_S)
    return not view.lacks()
