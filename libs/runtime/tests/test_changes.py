"""Whoever follows changes hears each once, and knows when some may not have been heard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from libs.log.faults import FaultyLog, Script
from libs.log.port import Partition
from libs.runtime.beats import beat_place, sources_of
from libs.runtime.changes import RETRY_S, SILENT_S, Changes
from libs.runtime.service import Ports
from libs.runtime.tests.world import FIRST, SOON_S, THINGS, running, turned, world
from libs.testing.beating import Owners
from libs.testing.eventually import eventually
from libs.wire.records import Heartbeat, Record, Revocation, encode
from libs.wire.topics import Topic

BACK_MS = 60_000
# The same topic, whose changes are made of itself.
BEATEN = replace(THINGS, sources=(THINGS,))
SOURCES = sources_of(BEATEN)


class Heard:
    """What was heard, in order, and how often something was missed or broken."""

    def __init__(self, ports: Ports, *, back_ms: int = 0, topic: Topic = THINGS) -> None:
        self.faulty = FaultyLog(ports.log, Script())
        self.ports = replace(ports, log=self.faulty)
        self.sessions: list[str] = []
        self.owners = Owners(ports.log, ports.clock, BEATEN)
        self.missed = 0
        self.broken = 0
        self.changes = Changes(
            self.ports,
            topic,
            self._take,
            missed=self._miss,
            broken=self._break,
            back_ms=back_ms,
        )

    async def write(self, session: str, index: int = 0) -> None:
        record = Revocation(session=session, user="u")
        await self.ports.log.append(Partition(THINGS.name, index), encode(record))

    async def heard(self, *sessions: str) -> None:
        """Return when just these were heard."""
        wanted = sorted(sessions)
        await eventually(
            lambda: sorted(self.sessions) == wanted, within_s=SOON_S, what=f"{wanted} are heard"
        )

    async def silent(self, seconds: float) -> None:
        """Return when the one heard longest ago is not heard for so long."""
        await eventually(
            lambda: self.changes.silent_s() == seconds, within_s=SOON_S, what=f"{seconds} s"
        )

    def _take(self, record: Record) -> None:
        if isinstance(record, Revocation):
            self.sessions.append(record.session)

    def _miss(self) -> None:
        self.missed += 1

    def _break(self) -> None:
        self.broken += 1


@asynccontextmanager
async def heard(back_ms: int = 0, topic: Topic = THINGS) -> AsyncIterator[Heard]:
    async with world() as ports:
        yield Heard(ports, back_ms=back_ms, topic=topic)


@asynccontextmanager
async def followed(it: Heard) -> AsyncIterator[None]:
    async with running(it.changes.run):
        await eventually(lambda: not it.changes.lacks(), within_s=SOON_S, what="it is followed")
        yield


async def test_nothing_is_relied_on_before_the_topic_is_followed() -> None:
    async with heard() as it:
        assert it.changes.lacks() == [f"{THINGS.name}: not read yet"]
        async with followed(it):
            assert it.changes.lacks() == []


async def test_changes_count_from_as_far_back_as_was_asked_for() -> None:
    async with heard(BACK_MS) as it:
        await it.write("old")
        turned(it.ports).advance(BACK_MS / 1000 + 1)
        await it.write("recent", 1)
        turned(it.ports).advance(BACK_MS / 1000 - 1)
        async with followed(it):
            await it.write("new", 3)
            await it.heard("recent", "new")


async def test_what_is_no_record_is_skipped() -> None:
    async with heard() as it, followed(it):
        await it.ports.log.append(FIRST, b"\xc1")
        await it.ports.log.append(FIRST, encode(Heartbeat()))
        await it.ports.log.append(FIRST, encode(Record(type="of-tomorrow", version=9)))
        await it.write("s1")
        await it.heard("s1")


async def test_a_log_that_is_away_is_told_and_nothing_is_heard_twice_or_never() -> None:
    async with heard() as it, followed(it):
        await it.write("before")
        await it.heard("before")
        it.faulty.cut()
        await eventually(lambda: it.broken == 1, within_s=SOON_S, what="the break is told")
        assert it.changes.lacks() != []
        it.faulty.heal()
        await it.write("meanwhile")
        await eventually(turned(it.ports).sleeping, within_s=SOON_S, what="it waits")
        await turned(it.ports).elapse(RETRY_S)
        await it.heard("before", "meanwhile")
        assert it.changes.lacks() == []
        assert it.missed == 0


async def test_what_the_topic_forgot_before_it_was_read_is_told_as_missed() -> None:
    async with heard() as it, followed(it):
        it.faulty.cut()
        await eventually(turned(it.ports).sleeping, within_s=SOON_S, what="it waits")
        it.faulty.heal()
        for session in ("s1", "s2", "s3"):
            await it.write(session)
        await it.ports.log.trim(FIRST, 2)
        await turned(it.ports).elapse(RETRY_S)
        await it.heard("s3")
        assert it.missed == 1


async def test_a_topic_in_which_nobody_beats_is_never_silent() -> None:
    async with heard() as it, followed(it):
        turned(it.ports).advance(1_000)
        assert (it.changes.silent_s(), it.changes.lacks()) == (0.0, [])


async def test_silence_counts_from_the_first_look_and_from_the_last_beat_of_each_source() -> None:
    async with heard(topic=BEATEN) as it:
        clock = turned(it.ports)
        clock.advance(100)
        async with followed(it):
            assert it.changes.silent_s() == 0
            clock.advance(SILENT_S - 1)
            it.owners.silent = {SOURCES[2]}
            await it.owners.beat()
            assert it.changes.silent_s() == SILENT_S - 1
            assert it.changes.lacks() == []
            clock.advance(1)
            quiet = f"{THINGS.name}/2"
            await eventually(
                lambda: it.changes.quietest() == quiet, within_s=SOON_S, what="the others are heard"
            )
            assert it.changes.is_silent()
            it.owners.silent = set(SOURCES) - {SOURCES[2]}
            await it.owners.beat()
            await it.silent(1)
            assert not it.changes.is_silent()
            assert it.changes.lacks() == []


async def test_what_is_no_beat_of_a_source_breaks_no_silence() -> None:
    async with heard(topic=BEATEN) as it, followed(it):
        turned(it.ports).advance(SILENT_S)
        now_ms = it.ports.clock.now_ms()
        strangers = [
            Heartbeat(),
            Heartbeat(topic=THINGS.name, partition=THINGS.partitions, at_ms=now_ms),
            Heartbeat(topic="others", partition=0, at_ms=now_ms),
        ]
        for source in SOURCES:
            for record in strangers:
                await it.ports.log.append(beat_place(BEATEN, source), encode(record))
            await it.write(f"s{source.index}", source.index)
        await it.heard(*(f"s{source.index}" for source in SOURCES))
        assert it.changes.silent_s() == SILENT_S


async def test_a_beat_that_is_read_late_is_as_old_as_what_it_tells_of() -> None:
    async with heard(topic=BEATEN) as it, followed(it):
        clock = turned(it.ports)
        it.faulty.cut()
        await eventually(clock.sleeping, within_s=SOON_S, what="it waits")
        await it.owners.beat()
        clock.advance(SILENT_S - RETRY_S)
        it.faulty.heal()
        clock.advance(RETRY_S)
        await it.write("after")
        await it.heard("after")
        assert it.changes.silent_s() == SILENT_S
        await it.owners.beat()
        await it.silent(0)


async def test_a_beat_of_a_clock_that_is_ahead_counts_from_its_arrival() -> None:
    async with heard(topic=BEATEN) as it, followed(it):
        clock = turned(it.ports)
        clock.advance(3)
        for source in SOURCES:
            ahead = Heartbeat(
                topic=source.topic, partition=source.index, at_ms=clock.now_ms() + 60_000
            )
            await it.ports.log.append(beat_place(BEATEN, source), encode(ahead))
        await it.silent(0)
        clock.advance(1)
        assert it.changes.silent_s() == 1


async def test_whoever_lost_the_log_hears_nobody() -> None:
    async with heard(topic=BEATEN) as it, followed(it):
        clock = turned(it.ports)
        it.faulty.cut()
        await eventually(clock.sleeping, within_s=SOON_S, what="it waits")
        for _ in range(6):
            await it.owners.beat()
            await clock.elapse(1)
        assert it.changes.is_silent()
