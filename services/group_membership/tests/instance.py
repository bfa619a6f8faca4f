"""A running instance of group-membership, and people who use it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from libs.log.faults import FaultyLog, Script
from libs.log.port import Appended, Log, NotWritten, OutcomeUnknown, Partition
from libs.runtime.calls import Caller
from libs.runtime.clock import SystemClock
from libs.runtime.identity import HEADER, Identity, Signer
from libs.runtime.secrets import Secrets, entropy
from libs.runtime.service import Ports, Running
from libs.runtime.tasks import GroupTasks
from libs.store import Redis
from libs.testing.eventually import eventually
from libs.wire import api, ids
from libs.wire.api import Access, AccessAnswer, AccessQuestion, Pair
from libs.wire.codec import pack, unpack
from libs.wire.topics import ACCESS_CHANGES
from services.group_membership.app import SERVICE
from services.group_membership.settings import Settings

SOON_S = 5.0
CANCEL_AGAIN_S = 0.1
CLOCK = SystemClock()
SIGNER = Signer(b"k" * 32)


class CrashLog(FaultyLog):
    """Fails at the given append (from 1) of those that a request makes, once, before or after it
    is written. What a view announces does not count."""

    def __init__(self, inner: Log, at: int, *, written: bool) -> None:
        super().__init__(inner, Script())
        self.appends = 0
        self._at = at
        self._written = written

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        if partition.topic == ACCESS_CHANGES.name:
            return await super().append(partition, value, key=key)
        self.appends += 1
        is_now = self.appends == self._at
        if is_now and not self._written:
            raise NotWritten("the instance is gone")
        appended = await super().append(partition, value, key=key)
        if is_now:
            raise OutcomeUnknown("the instance is gone")
        return appended


class Shown:
    """A view that has everything at once, for those who look into the log only."""

    async def reached(self, partition: Partition, offset: int) -> None:
        """At once."""


def user(number: int) -> str:
    """A user id."""
    return ids.derived("user", str(number))


ANNA, BEN, CARL, DORA = (user(number) for number in range(4))


@dataclass(frozen=True)
class Instance:
    """One instance; requests come as the gateway sends them."""

    running: Running
    http: httpx.AsyncClient

    async def ask(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        """A request in the name of a user."""
        identity = Identity("gateway", who, "a session")
        header = {HEADER: SIGNER.sign(identity, CLOCK.now_ms())}
        return await self.http.request(method, path, headers=header, **more)

    async def done(self, who: str, method: str, path: str, **more: Any) -> Any:
        """The body of an answer that is a success."""
        answer = await self.ask(who, method, path, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def code(self, who: str, method: str, path: str, **more: Any) -> str:
        """The code of an answer that is a problem."""
        answer = await self.ask(who, method, path, **more)
        assert answer.is_error, answer.text
        return str(answer.json()["code"])

    async def made(self, who: str, **wish: Any) -> Any:
        """A channel, new or not."""
        body = {"client_id": "c1", "kind": "group", "title": "A title", **wish}
        return await self.done(who, "POST", "/v1/channels", json=body)

    async def access(self, *pairs: tuple[str, str]) -> list[Access]:
        """Answers about pairs of user and channel."""
        header = {HEADER: SIGNER.sign(Identity("gateway"), CLOCK.now_ms())}
        question = AccessQuestion(tuple(Pair(*pair) for pair in pairs))
        answer = await self.http.post(api.ACCESS, content=pack(question), headers=header)
        assert answer.status_code == 200, answer.text
        return list(unpack(answer.content, AccessAnswer).answers)

    async def may(self, who: str, channel: str) -> Access:
        """One answer."""
        return (await self.access((who, channel)))[0]

    async def ready(self) -> None:
        """Return when nothing is lacking."""
        await eventually(lambda: not self.running.lacks(), within_s=SOON_S, what="ready")


@asynccontextmanager
async def running(
    log: Log, store: Redis, folder: Path, settings: Settings | None = None
) -> AsyncIterator[Instance]:
    """An instance whose loops run, ready."""
    async with asyncio.TaskGroup() as group:
        ports = Ports(
            log=log,
            store=store,
            calls=Caller("group-membership", signer=SIGNER, clock=CLOCK, addresses={}),
            clock=CLOCK,
            tasks=GroupTasks(group),
            signer=SIGNER,
            secrets=Secrets(folder, may_make=True),
            new_id=lambda: ids.fresh(CLOCK.now_ms(), entropy(ids.ENTROPY_BYTES)),
        )
        built = SERVICE.build(settings or Settings(), ports)
        transport = httpx.ASGITransport(built.app, raise_app_exceptions=False)
        loops = [group.create_task(_forever(loop)) for loop in built.loops.values()]
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://members") as http:
                instance = Instance(built, http)
                await instance.ready()
                yield instance
        finally:
            await _end(loops)


async def _end(loops: list[asyncio.Task[None]]) -> None:
    """Cancel until it is heard: in Python 3.11 `wait_for`, which the Redis driver sends by, loses a
    cancellation that comes in the moment of its result."""
    pending = set(loops)
    while pending:
        for loop in pending:
            loop.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


async def _forever(loop: Any) -> None:
    await loop()
