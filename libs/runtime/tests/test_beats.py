"""A beat says that all of its source is told; whoever cannot say that is silent."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from libs.log.faults import FaultyLog, Script
from libs.log.port import READ_RECORDS_MAX, Log, LogError, Partition, Stored
from libs.runtime.beats import BEAT_S, RETRY_S, Beats, beat_place, sources_of
from libs.runtime.service import Ports
from libs.runtime.tests.shelf import put, whole
from libs.runtime.tests.world import FIRST, SOON_S, THINGS, FaultyStore, running, turned, world
from libs.runtime.view import RETRY_S as VIEW_RETRY_S
from libs.runtime.view import View
from libs.store import Pipeline
from libs.testing.eventually import eventually
from libs.wire.records import Heartbeat, decode
from libs.wire.topics import Cleanup, Topic

TOLD = Topic(
    "told",
    partitions=3,
    cleanup=Cleanup.AGE,
    kept_ms=3_600_000,
    key="thing",
    holds=(Heartbeat,),
    writers=("shop",),
    readers=("shop",),
    sources=(THINGS,),
)
ALL = sources_of(TOLD)
OTHERS = set(ALL) - {FIRST}


class Owner:
    """Has told what a test says."""

    def __init__(self) -> None:
        self.all: dict[Partition, int] = {}

    def told(self) -> Mapping[Partition, int]:
        """See `Tells`."""
        return self.all


class Announced:
    """A view whose announcements stand still while `goes_on` is not set."""

    def __init__(self, ports: Ports) -> None:
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.batches = 0
        self.view = View("shop", [THINGS], self._fold, ports=ports, applied=self._applied)

    async def _fold(self, pipe: Pipeline, batch: Sequence[Stored]) -> None:
        for stored in batch:
            pipe.rpush("things", stored.value)

    async def _applied(self, batch: Sequence[Stored]) -> None:
        self.batches += 1
        await self.goes_on.wait()

    async def announces(self) -> None:
        """Return when a batch is folded, and its announcement has begun."""
        before = self.batches
        await eventually(lambda: self.batches > before, within_s=SOON_S, what="it announces")


async def beaten(log: Log) -> dict[Partition, list[int]]:
    """The times that each source's beats tell, in order, from where it should beat."""
    found: dict[Partition, list[int]] = {}
    for index in range(TOLD.partitions):
        place = Partition(TOLD.name, index)
        for stored in await log.read(place, 0, limit=READ_RECORDS_MAX):
            beat = decode(stored.value)
            assert isinstance(beat, Heartbeat)
            source = Partition(beat.topic, beat.partition)
            assert beat_place(TOLD, source) == place
            found.setdefault(source, []).append(beat.at_ms)
    return found


async def due(ports: Ports, beats: Beats) -> set[Partition]:
    """The sources that beat now, a second after what was before."""
    turned(ports).advance(BEAT_S)
    before = await beaten(ports.log)
    await beats.beat()
    after = await beaten(ports.log)
    return {source for source, times in after.items() if times != before.get(source)}


def beats_of(ports: Ports, view: View | Owner) -> Beats:
    return Beats(ports.log, ports.clock, view, TOLD)


async def test_each_owned_source_beats_once_a_second_and_tells_when_its_owner_looked() -> None:
    async with world() as ports:
        await ports.log.create_topics([TOLD])
        owner = Owner()
        owner.all = dict.fromkeys(ALL[1:], 0)
        clock = turned(ports)
        start_ms = clock.now_ms()
        async with running(beats_of(ports, owner).run):
            for number in range(3):
                wanted = [start_ms + 1_000 * each for each in range(number + 1)]

                async def all_beat(wanted: list[int] = wanted) -> bool:
                    assert await beaten(ports.log) == dict.fromkeys(ALL[1:], wanted)
                    return clock.sleeping() == 1

                await eventually(all_beat, within_s=SOON_S, what="the beats")
                await clock.elapse(BEAT_S)


async def test_a_source_of_which_something_is_not_told_does_not_beat() -> None:
    async with world() as ports:
        await ports.log.create_topics([TOLD])
        await put(ports, range(5))
        owner = Owner()
        owner.all = {**dict.fromkeys(ALL, 0), FIRST: 4}
        beats = beats_of(ports, owner)
        assert await due(ports, beats) == OTHERS
        assert await due(ports, beats) == OTHERS
        owner.all[FIRST] = 5
        assert await due(ports, beats) == set(ALL)


async def test_where_something_is_always_on_its_way_the_beat_tells_of_the_look_before() -> None:
    async with world() as ports:
        await ports.log.create_topics([TOLD])
        owner = Owner()
        owner.all = {FIRST: 0}
        beats = beats_of(ports, owner)
        first_ms = ports.clock.now_ms() + 1_000
        assert await due(ports, beats) == {FIRST}
        for told in range(1, 4):
            # What came in this second is not told yet, what came in the one before is.
            await put(ports, [told])
            owner.all = {FIRST: told - 1}
            assert await due(ports, beats) == {FIRST}
        times = (await beaten(ports.log))[FIRST]
        assert times == [first_ms + late for late in (0, 0, 1_000, 2_000)]
        # It tells nothing more, so the look before is not told either.
        assert await due(ports, beats) == set()


async def test_a_beat_does_not_overtake_the_announcement_of_a_batch_that_is_folded() -> None:
    async with world() as ports:
        await ports.log.create_topics([TOLD])
        it = Announced(ports)
        beats = beats_of(ports, it.view)
        async with running(it.view.run):
            await whole(it.view)
            assert await due(ports, beats) == set(ALL)
            it.goes_on.clear()
            telling = asyncio.create_task(it.announces())
            await put(ports, [1])
            await telling
            looked_ms = ports.clock.now_ms()
            # The look before the record was told of; no later one is.
            await due(ports, beats)
            assert await due(ports, beats) == OTHERS
            assert max((await beaten(ports.log))[FIRST]) <= looked_ms
            assert await due(ports, beats) == OTHERS
            it.goes_on.set()
            await eventually(lambda: it.view.told()[FIRST] == 1, within_s=SOON_S, what="told")
            assert await due(ports, beats) == set(ALL)


async def test_what_a_dead_owner_did_not_tell_holds_the_beats_of_the_next_back() -> None:
    async with world() as ports:
        await ports.log.create_topics([TOLD])
        it = Announced(ports)
        async with running(it.view.run):
            await whole(it.view)
            it.goes_on.clear()
            telling = asyncio.create_task(it.announces())
            await put(ports, [1])
            await telling
        heir = Announced(ports)
        heir.goes_on.clear()
        beats = beats_of(ports, heir.view)
        telling = asyncio.create_task(heir.announces())
        async with running(heir.view.run):
            await telling
            assert FIRST not in await due(ports, beats)
            heir.goes_on.set()
            await whole(heir.view)
            await eventually(lambda: FIRST in heir.view.told(), within_s=SOON_S, what="it is told")
            assert await due(ports, beats) == set(ALL)


async def test_a_view_that_waits_for_redis_beats_for_nobody() -> None:
    async with world() as ports:
        await ports.log.create_topics([TOLD])
        store = FaultyStore(ports.store)
        it = Announced(replace(ports, store=store.as_redis()))
        beats = beats_of(ports, it.view)
        assert await due(ports, beats) == set()
        async with running(it.view.run):
            await whole(it.view)
            store.is_away = True
            await put(ports, [1])
            await eventually(it.view.lacks, within_s=SOON_S, what="it waits")
            assert await due(ports, beats) == set()
            store.is_away = False
            await turned(ports).elapse(VIEW_RETRY_S)
            await whole(it.view)
            await eventually(lambda: len(it.view.told()) == len(ALL), within_s=SOON_S, what="all")
            assert await due(ports, beats) == set(ALL)


async def test_two_members_beat_for_what_each_has() -> None:
    async with world() as ports:
        await ports.log.create_topics([TOLD])
        one, two = Announced(ports), Announced(ports)

        async def both() -> bool:
            # A member gives up what it shall no longer have when it asks for its next batch.
            for source in ALL:
                await put(ports, [0], source)
            await asyncio.sleep(0)
            told = [set(each.view.told()) for each in (one, two)]
            return all(told) and not told[0] & told[1] and told[0] | told[1] == set(ALL)

        async with running(one.view.run, two.view.run):
            await eventually(both, within_s=SOON_S, what="each has some")
            has = [set(each.view.told()) for each in (one, two)]

            async def told_all() -> bool:
                found = [await due(ports, beats_of(ports, each.view)) for each in (one, two)]
                return found == has

            await eventually(told_all, within_s=SOON_S, what="each beats for its own")


async def test_faults_of_the_log_are_waited_out() -> None:
    async with world() as ports:
        await ports.log.create_topics([TOLD])
        faulty = FaultyLog(ports.log, Script())
        owner = Owner()
        owner.all = dict.fromkeys(ALL, 0)
        beats = Beats(faulty, ports.clock, owner, TOLD)
        faulty.cut()
        with pytest.raises(LogError):
            await beats.beat()
        clock = turned(ports)
        async with running(beats.run):
            await eventually(lambda: clock.sleeping() == 1, within_s=SOON_S, what="it waits")
            faulty.heal()
            await clock.elapse(RETRY_S)

            async def all_beat() -> bool:
                return set(await beaten(ports.log)) == set(ALL)

            await eventually(all_beat, within_s=SOON_S, what="all beat")


async def test_one_beat_that_is_not_taken_keeps_no_other_back() -> None:
    async with world() as ports:
        await ports.log.create_topics([TOLD])
        owner = Owner()
        owner.all = dict.fromkeys(ALL, 0)

        class Choosy(FaultyLog):
            async def append(self, partition, value, *, key=b""):  # type: ignore[no-untyped-def]
                if partition == beat_place(TOLD, FIRST):
                    raise LogError("its leader died")
                return await super().append(partition, value, key=key)

        beats = Beats(Choosy(ports.log, Script()), ports.clock, owner, TOLD)
        with pytest.raises(LogError, match="leader"):
            await beats.beat()
        found = await beaten(ports.log)
        assert set(found) == {s for s in ALL if beat_place(TOLD, s) != beat_place(TOLD, FIRST)}
