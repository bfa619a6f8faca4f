"""Instances of session over one log and one store, asked as the gateway asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from libs.log.faults import FaultyLog, Script
from libs.log.open import open_log
from libs.log.port import Appended, Log, Partition
from libs.runtime.calls import Caller
from libs.runtime.clock import SystemClock
from libs.runtime.identity import HEADER, Identity, Signer
from libs.runtime.secrets import Secrets, entropy
from libs.runtime.service import Ports, Running
from libs.runtime.tasks import GroupTasks
from libs.store import Redis, open_store
from libs.testing.eventually import eventually
from libs.wire import ids
from libs.wire.codec import Struct, pack
from libs.wire.topics import TOPICS
from services.session.app import build
from services.session.settings import Settings

CHEAP = Settings(hash_memory_kib=8_192, hash_passes=1, hash_lanes=1)
PASSWORD = "correct horse battery"
ADA = {"handle": "ada", "password": PASSWORD, "display_name": "Ada"}
DEVICE = {"name": "phone", "kind": "cli"}
SIGN_IN = {"handle": "ada", "password": PASSWORD, "device": DEVICE}
UNKNOWN = "0" * 26


class SkippingClock(SystemClock):
    """The machine's clock, whose wall time a test can move on."""

    def __init__(self) -> None:
        self._skipped_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self._skipped_ms

    def skip(self, seconds: float) -> None:
        self._skipped_ms += int(seconds * 1000)


class GatedLog(FaultyLog):
    """A log that holds one append back until its gate is opened."""

    def __init__(self, inner: Log, plan: Script | None = None) -> None:
        super().__init__(inner, plan or Script())
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.topic = ""

    def hold(self, topic: str) -> None:
        """The next append to this topic."""
        self.topic = topic
        self.gate.clear()
        self.arrived.clear()

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        if partition.topic == self.topic:
            self.topic = ""
            self.arrived.set()
            await self.gate.wait()
        return await super().append(partition, value, key=key)


class Desk:
    """One instance. `session` of `ask` is the body of a sign-in; None: asked for nobody."""

    def __init__(self, running: Running, ports: Ports) -> None:
        self.running = running
        self._ports = ports
        transport = httpx.ASGITransport(running.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://session")

    async def ask(
        self, method: str, path: str, body: Any = None, *, session: dict[str, Any] | None = None
    ) -> httpx.Response:
        known = Identity("gateway")
        if session is not None:
            known = Identity("gateway", session["user"]["id"], session["session_id"])
        header = self._ports.signer.sign(known, self._ports.clock.now_ms())
        return await self._client.request(method, path, json=body, headers={HEADER: header})

    async def packed(self, path: str, question: Struct) -> httpx.Response:
        """Asked by chat, in msgpack."""
        header = self._ports.signer.sign(Identity("chat"), self._ports.clock.now_ms())
        return await self._client.post(path, content=pack(question), headers={HEADER: header})

    async def bare(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Asked by somebody who is no service."""
        return await self._client.request(method, path, json=body)

    async def sign_up(self, handle: str = "ada") -> dict[str, Any]:
        reply = await self.ask("POST", "/v1/accounts", ADA | {"handle": handle})
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    async def sign_in(self, handle: str = "ada", device: str = "phone") -> dict[str, Any]:
        body = SIGN_IN | {"handle": handle, "device": DEVICE | {"name": device}}
        reply = await self.ask("POST", "/v1/sessions", body)
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    async def refresh(self, token: str) -> httpx.Response:
        return await self.ask("POST", "/v1/sessions/refresh", {"refresh_token": token})

    async def ready(self) -> None:
        await eventually(lambda: not self.running.lacks(), within_s=10, what="the view is read")


class World:
    """What instances share. `log` is the log that instances opened from now on are given."""

    def __init__(self, inner: Log, folder: Path) -> None:
        self.inner = inner
        self.log: Log = inner
        self.store: Redis = open_store("")
        self.clock = SkippingClock()
        self._secrets = Secrets(folder, may_make=True)
        self._signer = Signer(b"k" * 32)

    def ports(self, tasks: asyncio.TaskGroup) -> Ports:
        clock = self.clock
        return Ports(
            log=self.log,
            store=self.store,
            calls=Caller("session", signer=self._signer, clock=clock, addresses={}),
            clock=clock,
            tasks=GroupTasks(tasks),
            signer=self._signer,
            secrets=self._secrets,
            new_id=lambda: ids.fresh(clock.now_ms(), entropy(ids.ENTROPY_BYTES)),
        )

    @asynccontextmanager
    async def open(
        self, settings: Settings = CHEAP, *, is_awaited: bool = True, is_beating: bool = False
    ) -> AsyncIterator[Desk]:
        """An instance that is ready (if that is awaited), until the block ends. It beats only when
        that is asked for: beats would take the faults that are planned for requests."""
        async with asyncio.TaskGroup() as tasks:
            ports = self.ports(tasks)
            running = build(settings, ports)
            loops = [
                tasks.create_task(partial(_forever, loop)(), name=name)
                for name, loop in running.loops.items()
                if is_beating or name != "beats"
            ]
            desk = Desk(running, ports)
            if is_awaited:
                await desk.ready()
            yield desk
            for task in loops:
                task.cancel()

    async def content(self) -> dict[bytes, Any]:
        """Every key of the store with its value."""
        return await content(self.store)


async def content(store: Redis) -> dict[bytes, Any]:
    """Every key of a store with its value."""
    found: dict[bytes, Any] = {}
    key: Any
    for key in await store.keys("*"):
        kind = await store.type(key)
        is_set = kind == b"zset"
        found[key] = await (store.zrange(key, 0, -1, withscores=True) if is_set else store.get(key))
    return found


@asynccontextmanager
async def opened_world(folder: Path) -> AsyncIterator[World]:
    """A world with an empty log in memory."""
    clock = SystemClock()
    log = await open_log("sqlite://:memory:", now_ms=clock.now_ms)
    await log.create_topics(TOPICS)
    try:
        yield World(log, folder)
    finally:
        await log.close()


async def _forever(loop: Any) -> None:
    await loop()
