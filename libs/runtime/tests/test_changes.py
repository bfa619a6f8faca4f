"""Whoever follows changes hears each once, and knows when some may not have been heard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from libs.log.faults import FaultyLog, Script
from libs.log.port import Partition
from libs.runtime.changes import RETRY_S, Changes
from libs.runtime.service import Ports
from libs.runtime.tests.world import FIRST, SOON_S, THINGS, running, turned, world
from libs.testing.eventually import eventually
from libs.wire.records import Heartbeat, Record, Revocation, encode

BACK_MS = 60_000


class Heard:
    """What was heard, in order, and how often something was missed or broken."""

    def __init__(self, ports: Ports, *, back_ms: int = 0) -> None:
        self.faulty = FaultyLog(ports.log, Script())
        self.ports = replace(ports, log=self.faulty)
        self.sessions: list[str] = []
        self.missed = 0
        self.broken = 0
        self.changes = Changes(
            self.ports,
            THINGS,
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

    def _take(self, record: Record) -> None:
        if isinstance(record, Revocation):
            self.sessions.append(record.session)

    def _miss(self) -> None:
        self.missed += 1

    def _break(self) -> None:
        self.broken += 1


@asynccontextmanager
async def heard(back_ms: int = 0) -> AsyncIterator[Heard]:
    async with world() as ports:
        yield Heard(ports, back_ms=back_ms)


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
