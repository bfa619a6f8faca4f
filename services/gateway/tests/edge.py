"""A whole gateway in one loop, between fakes, on a clock that the test turns."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from prometheus_client import Gauge

from libs.log.port import Partition
from libs.runtime.service import Loop, Ports
from libs.testing.beating import Owners
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire.records import AccessChanged, Record, Revocation, encode
from libs.wire.topics import ACCESS_CHANGES, REVOCATIONS, Topic
from services.catalog import NAMES
from services.gateway.app import SERVICE
from services.gateway.metrics import PARKED
from services.gateway.settings import Settings
from services.gateway.tests.door import Door
from services.gateway.tests.fakes import (
    ChannelLog,
    FakeChat,
    FakeMembers,
    FakeRelay,
    FakeSession,
    ident,
)
from services.gateway.tests.surroundings import surroundings

WITHIN_S = 10.0
CHANNEL = "0" * 25 + "1"
STEP_S = 0.25
PATIENCE_S = 0.1
# Nobody turns the clock for who polls page after page.
EASE = {"polls_per_s": 1_000.0, "polls_burst": 1_000}


class Edge:
    """The gateway under test, and everything around it."""

    def __init__(self, ports: Ports, clock: VirtualClock, settings: Settings) -> None:
        self.ports = ports
        self.clock = clock
        self.relay = FakeRelay(ports.signer, clock)
        self.members = FakeMembers(ports.signer, clock)
        self.session = FakeSession(ports.signer, clock)
        self.chat = FakeChat(ports.signer, clock)
        # Whose changes the gateway hears; `hush` makes them silent.
        self.owners = {
            topic: Owners(ports.log, clock, topic) for topic in (ACCESS_CHANGES, REVOCATIONS)
        }
        self.running = SERVICE.build(settings, ports)
        self.client = httpx.AsyncClient(
            transport=Door(self.running, ports.tasks), base_url="http://edge", timeout=None
        )

    @staticmethod
    def http(app: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://edge", timeout=None)

    def attach(self) -> None:
        """In one process: names lead to apps."""
        self.ports.calls.attach("relay", self.relay.app)
        self.ports.calls.attach("group-membership", self.members.app)
        self.ports.calls.attach("session", self.session.app)
        self.ports.calls.attach("chat", self.chat.app)

    def channel(
        self, name: str = CHANNEL, *, head: int = 10, epoch: int = 1, first: int = 1
    ) -> None:
        """A public channel that ends at `head`."""
        self.relay.channels[name] = ChannelLog(head=head, epoch=epoch, first=first)
        self.members.public.add(name)

    def bearer(self, user: str = "ann", **changes: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {self.session.token(user, **changes)}"}

    async def get(self, path: str, user: str = "ann", **query: Any) -> httpx.Response:
        return await self.client.get(path, params=query, headers=self.bearer(user))

    async def poll(
        self, channel: str = CHANNEL, *, user: str = "ann", **query: Any
    ) -> httpx.Response:
        """One poll, for which nobody turns the clock."""
        return await self.get(f"/v1/channels/{channel}/poll", user, **query)

    def polling(
        self, after: str, *, channel: str = CHANNEL, user: str = "ann", wait: float = 25
    ) -> "asyncio.Task[httpx.Response]":
        """A poll that goes on while the test does."""
        ask = self.poll(channel, user=user, after=after, wait=wait)
        return asyncio.create_task(ask, name=f"poll of {user}")

    async def refused_soon(self, user: str) -> str:
        """The code with which a user is refused as soon as the gateway knows of the refusal."""

        async def tried() -> str:
            # A poll that is not refused would wait for what the test holds back.
            try:
                reply = await asyncio.wait_for(self.poll(user=user), PATIENCE_S)
            except TimeoutError:
                return ""
            return str(reply.json()["code"])

        return await eventually(tried, within_s=WITHIN_S, what=f"{user} is refused")

    async def parked(self, count: int) -> None:
        """Return when so many are parked."""
        await self.soon(lambda: _value(PARKED) == count, f"{count} parked")

    async def ended(self, task: "asyncio.Task[httpx.Response]") -> httpx.Response:
        """The answer of a poll, while time passes."""
        await self.soon(task.done, "the poll is answered")
        return await task

    async def soon(self, check: Callable[[], object], what: str) -> None:
        """Wait for what becomes true while time passes."""

        def turned() -> object:
            self.clock.advance(STEP_S)
            return check()

        await eventually(turned, within_s=WITHIN_S, what=what)

    async def until(self, ask: Callable[[], Awaitable[str]], wanted: str) -> None:
        """Wait until the answer is what is wanted."""

        async def asked() -> bool:
            return await ask() == wanted

        await eventually(asked, within_s=WITHIN_S, what=wanted)

    async def change(self, user: str | None, channel: str = CHANNEL) -> None:
        who = None if user is None else ident(user)
        await self._write(ACCESS_CHANGES, channel, AccessChanged(channel=channel, user=who))

    async def revoke(self, session: str) -> None:
        record = Revocation(session=ident(session), user=ident("u"))
        await self._write(REVOCATIONS, record.session, record)

    async def _write(self, topic: Topic, key: str, record: Record) -> None:
        place = Partition(topic.name, topic.partition_of(key))
        await self.ports.log.append(place, encode(record), key=key.encode())


@asynccontextmanager
async def edge(
    *, is_ready: bool = True, is_attached: bool = True, **settings: Any
) -> AsyncIterator[Edge]:
    """A gateway that runs; ready unless the test wants to see it before, or without services: then
    nobody listens at their addresses."""
    clock = VirtualClock()
    addresses = dict.fromkeys(NAMES, ("http://127.0.0.1:1",))
    async with surroundings(clock, addresses) as ports:
        made = Edge(ports, clock, Settings(**{**EASE, **settings}))
        if is_attached:
            made.attach()
        await made.relay.start()
        addresses["relay"] = (f"http://127.0.0.1:{made.relay.port}",)
        loops = [ports.tasks.spawn(_run(loop), name=name) for name, loop in _loops(made)]
        try:
            if is_ready and is_attached:
                await made.soon(lambda: not made.running.lacks(), "the gateway is ready")
            yield made
            await made.running.drain(0.0)
            for loop in loops:
                loop.cancel()
        finally:
            await made.client.aclose()
            await made.relay.stop()


def _value(gauge: Gauge) -> float:
    return next(iter(gauge.collect())).samples[0].value


def _loops(made: Edge) -> Iterable[tuple[str, Loop]]:
    beats = {f"beats of {topic.name}": owners.run for topic, owners in made.owners.items()}
    return {**made.running.loops, **beats}.items()


async def _run(loop: Loop) -> None:
    await loop()
