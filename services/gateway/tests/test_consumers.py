"""What the gateway hears from the log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.log.port import Partition
from libs.runtime.access import AccessLane
from libs.runtime.beats import sources_of
from libs.runtime.changes import SILENT_S
from libs.runtime.service import Ports
from libs.testing.beating import Owners
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire.codes import Refused
from libs.wire.records import AccessChanged, Record, Revocation, encode
from libs.wire.tokens import LIFE_S_MAX
from libs.wire.topics import ACCESS_CHANGES, REVOCATIONS
from services.gateway.access import AccessMemory
from services.gateway.consumers import Consumers
from services.gateway.hub import Waiter
from services.gateway.tests.fakes import FakeMembers
from services.gateway.tests.listeners import CHANNEL
from services.gateway.tests.surroundings import surroundings
from services.gateway.tokens import Tokens

SESSIONS_MAX = 100


class Revoked(Tokens):
    """Keeps which sessions ended, in the order in which they were heard of."""

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports, SESSIONS_MAX)
        self.sessions: list[str] = []

    def revoke(self, session: str) -> None:
        self.sessions.append(session)


class Followed:
    """`Consumers` over a real log."""

    def __init__(self, ports: Ports, clock: VirtualClock) -> None:
        self.ports = ports
        self.clock = clock
        self.members = FakeMembers(ports.signer, clock)
        self.members.public.add(CHANNEL)
        ports.calls.attach("group-membership", self.members.app)
        self.owners = {
            topic: Owners(ports.log, clock, topic) for topic in (ACCESS_CHANGES, REVOCATIONS)
        }
        lane = AccessLane(ports, 1.0)
        self.access = AccessMemory(lane, clock, yes_s=60.0, kept_s=600.0, most=SESSIONS_MAX)
        self.tokens = Revoked(ports)
        self.held: list[Waiter] = []
        self.consumers = Consumers(ports, self.access, self.tokens, hold=self.held.extend)
        self.loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Follow both topics, from now on."""
        for loop in (self.consumers.access.run(), self.consumers.revocations.run()):
            self.loops.append(self.ports.tasks.spawn(loop, name="loop"))
        await eventually(self.is_ready, within_s=5, what="both topics are followed")

    async def beat(self) -> None:
        """All who announce something beat once."""
        for owners in self.owners.values():
            await owners.beat()

    def is_ready(self) -> bool:
        return not self.consumers.lacks()

    async def revoke(self, session: str) -> None:
        await self.write(REVOCATIONS.partition_of(session), Revocation(session=session, user="u"))

    async def write(self, index: int, record: Record) -> None:
        await self.ports.log.append(Partition(REVOCATIONS.name, index), encode(record))

    async def heard(self, *sessions: str) -> None:
        """Return when just these sessions were heard of."""
        wanted = sorted(sessions)
        await eventually(
            lambda: sorted(self.tokens.sessions) == wanted,
            within_s=5,
            what=f"{wanted} are heard of",
        )


@asynccontextmanager
async def followed() -> AsyncIterator[Followed]:
    clock = VirtualClock()
    async with surroundings(clock) as ports:
        made = Followed(ports, clock)
        yield made
        for loop in made.loops:
            loop.cancel()


async def test_nothing_is_relied_on_before_both_topics_are_followed() -> None:
    async with followed() as it:
        assert len(it.consumers.lacks()) == 2
        await it.start()
        assert it.consumers.lacks() == []


async def test_revocations_count_from_as_far_back_as_a_token_lives() -> None:
    async with followed() as it:
        await it.revoke("old")
        it.clock.advance(LIFE_S_MAX + 1)
        await it.revoke("recent")
        it.clock.advance(LIFE_S_MAX - 1)
        await it.start()
        await it.revoke("new")
        await it.heard("recent", "new")


async def test_a_change_of_access_marks_what_is_remembered() -> None:
    async with followed() as it:
        await it.start()
        ann = await it.access.grant("ann", CHANNEL)
        bob = await it.access.grant("bob", CHANNEL)
        place = Partition(ACCESS_CHANGES.name, ACCESS_CHANGES.partition_of(CHANNEL))
        await it.ports.log.append(place, encode(AccessChanged(channel=CHANNEL, user="ann")))
        await eventually(lambda: not it.access.holds(ann), within_s=5, what="the grant is stale")
        assert it.access.holds(bob)


async def test_one_announcer_that_is_heard_no_more_puts_what_is_remembered_in_doubt() -> None:
    async with followed() as it:
        await it.start()
        owners = it.owners[ACCESS_CHANGES]
        owners.silent = {sources_of(ACCESS_CHANGES)[-1]}
        it.clock.advance(SILENT_S - 1)
        await it.beat()
        assert not it.access.is_doubted
        it.clock.advance(1)
        await eventually(lambda: it.access.is_doubted, within_s=5, what="it is in doubt")
        assert it.consumers.lacks() == []
        owners.silent = set()
        await it.beat()
        await eventually(lambda: not it.access.is_doubted, within_s=5, what="it is heard again")


async def test_in_the_silence_a_ban_is_heard_by_asking() -> None:
    async with followed() as it:
        await it.start()
        await it.access.grant("ann", CHANNEL)
        it.members.refusals["ann", CHANNEL] = "banned"
        it.clock.advance(SILENT_S)
        with pytest.raises(Refused, match="banned"):
            await it.access.grant("ann", CHANNEL)
