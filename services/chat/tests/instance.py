"""Instances of chat over one log, people who post, and a stand-in for group-membership."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from libs.log.faults import FaultyLog, Script
from libs.log.port import Appended, Log, Partition, Stored
from libs.runtime.calls import Caller
from libs.runtime.clock import Clock, SystemClock
from libs.runtime.identity import HEADER, Identity, Signer
from libs.runtime.secrets import Secrets
from libs.runtime.service import Loop, Ports, Running
from libs.runtime.tasks import GroupTasks
from libs.store import Redis, open_store
from libs.testing.eventually import eventually
from libs.wire import api, ids
from libs.wire.api import (
    Access,
    AccessAnswer,
    AccessQuestion,
    HandlesAnswer,
    HandlesQuestion,
    PostBatch,
    PostItem,
    PostReplies,
    PostReply,
)
from libs.wire.codec import pack, unpack
from libs.wire.codes import CODES
from libs.wire.directory import Placement
from libs.wire.entries import Entry
from libs.wire.fold import ChannelFold
from libs.wire.records import Claim, Message, encode
from libs.wire.services import CHAT, GATEWAY, GROUP_MEMBERSHIP, SESSION
from libs.wire.topics import DIRECTORY, pool
from services.chat.app import build
from services.chat.settings import Settings

SOON_S = 5.0
CLOCK = SystemClock()
SIGNER = Signer(b"k" * 32)
POOL = pool(0, 8)
CHANNEL = ids.derived("channel", "news")
ANNA, BEN = ids.derived("user", "anna"), ids.derived("user", "ben")
HOME = Placement(
    channel=CHANNEL,
    epoch=1,
    topic=POOL.name,
    partition=3,
    base_offset=0,
    base_id=1,
    kind="group",
    visibility="public",
    claim_offset=0,
)
PARTITION = Partition(HOME.topic, HOME.partition)


class Members:
    """Answers for group-membership: everybody may post unless a test says otherwise."""

    def __init__(self) -> None:
        self.answers: dict[str, Access] = {}
        self.away = False
        self.asked = 0
        # Set to let calls go.
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        question = unpack(message["body"], AccessQuestion)
        self.asked += 1
        await self.go.wait()
        answers = tuple(
            self.answers.get(pair.user)
            or Access(pair.user, pair.channel, role="member", may_read=True, may_post=True, epoch=1)
            for pair in question.pairs
        )
        status = CODES["service_away"].status if self.away else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": pack(AccessAnswer(answers))})


class Accounts:
    """Answers for session: whose handle is which."""

    def __init__(self) -> None:
        self.users: dict[str, str] = {}
        self.away = False
        # Set to let calls go.
        self.go = asyncio.Event()
        self.go.set()
        self.asked: list[tuple[str, ...]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        question = unpack(message["body"], HandlesQuestion)
        self.asked.append(question.handles)
        await self.go.wait()
        status = CODES["service_away"].status if self.away else 200
        answer = HandlesAnswer(tuple(self.users.get(handle) for handle in question.handles))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": pack(answer)})


@dataclass(frozen=True)
class Instance:
    """One instance of chat; requests come as the gateway sends them."""

    running: Running
    http: httpx.AsyncClient
    members: Members = field(default_factory=Members)
    accounts: Accounts = field(default_factory=Accounts)
    clock: Clock = CLOCK

    async def post(
        self, text: str = "hello", client_id: str = "c1", *, who: str = ANNA, **more: Any
    ) -> httpx.Response:
        """Post to the channel."""
        return await self.send({"client_id": client_id, "text": text, **more}, who=who)

    async def send(self, body: Any, *, who: str = ANNA, channel: str = CHANNEL) -> httpx.Response:
        """Post this body."""
        identity = SIGNER.sign(Identity(GATEWAY, who, "a session"), self.clock.now_ms())
        headers = {HEADER: identity, "content-type": "application/json"}
        path = f"/v1/channels/{channel}/messages"
        content = body if isinstance(body, bytes) else json.dumps(body)
        return await self.http.post(path, content=content, headers=headers)

    async def batch(self, *items: PostItem) -> Sequence[PostReply]:
        """Post a batch as a gateway does."""
        headers = {HEADER: SIGNER.sign(Identity(GATEWAY, None, None), self.clock.now_ms())}
        body = pack(PostBatch(items))
        answer = await self.http.post(api.POSTS, content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return unpack(answer.content, PostReplies).replies


class HeldLog(FaultyLog):
    """Appends to the channel wait until a test lets them go."""

    def __init__(self, inner: Log) -> None:
        super().__init__(inner, Script())
        self.go = asyncio.Event()
        self.held = 0

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        if partition == PARTITION:
            self.held += 1
            await self.go.wait()
        return await super().append(partition, value, key=key)


def item(
    text: str = "hello", client_id: str = "c1", *, who: str = ANNA, trace: str = "", **more: Any
) -> PostItem:
    """A post of a batch."""
    body = json.dumps({"client_id": client_id, "text": text, **more}).encode()
    return PostItem(CHANNEL, who, trace, body)


async def claim(log: Log) -> None:
    """Give the channel its partition."""
    record = Claim(
        channel=CHANNEL,
        epoch=HOME.epoch,
        topic=HOME.topic,
        partition=HOME.partition,
        base_offset=HOME.base_offset,
        base_id=HOME.base_id,
        kind=HOME.kind,
        owner=ANNA,
        visibility=HOME.visibility,
        title="News",
    )
    await log.append(Partition(DIRECTORY.name, 0), encode(record))


def ports(
    log: Log,
    group: asyncio.TaskGroup,
    *,
    store: Redis | None = None,
    clock: Clock = CLOCK,
) -> Ports:
    """Ports over a log; what is spawned belongs to `group`."""
    return Ports(
        log=log,
        store=open_store("") if store is None else store,
        calls=Caller(CHAT, signer=SIGNER, clock=CLOCK, addresses={}),
        clock=clock,
        tasks=GroupTasks(group),
        signer=SIGNER,
        secrets=Secrets(Path("nowhere"), may_make=False),
        new_id=lambda: ids.fresh(CLOCK.now_ms(), bytes(10)),
    )


@asynccontextmanager
async def running(
    log: Log,
    settings: Settings | None = None,
    *,
    store: Redis | None = None,
    clock: Clock = CLOCK,
) -> AsyncIterator[Instance]:
    """An instance, its loops running, ready."""
    members, accounts = Members(), Accounts()
    async with asyncio.TaskGroup() as group:
        made = ports(log, group, store=store, clock=clock)
        made.calls.attach(GROUP_MEMBERSHIP, members)
        made.calls.attach(SESSION, accounts)
        built = build(settings or Settings(), made)
        loops = [group.create_task(_run(loop)) for loop in built.loops.values()]
        await eventually(lambda: not built.lacks(), within_s=SOON_S, what="chat is ready")
        transport = httpx.ASGITransport(built.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://chat") as http:
            yield Instance(built, http, members, accounts, clock)
        for loop in loops:
            loop.cancel()
        await made.calls.close()


async def _run(loop: Loop) -> None:
    await loop()


async def append(log: Log, client_id: str, text: str = "hello", *, who: str = ANNA) -> int:
    """Another instance's append: the id of its entry."""
    record = Message(channel=CHANNEL, author=who, client_id=client_id, text=text)
    return HOME.id_of((await log.append(PARTITION, encode(record))).offset)


async def records(log: Log) -> Sequence[Stored]:
    """The channel's log."""
    found: list[Stored] = []
    while batch := await log.read(PARTITION, len(found), limit=1_000):
        found += batch
    return found


async def entries(log: Log) -> list[Entry]:
    """The channel's entries as every reader sees them."""
    fold = ChannelFold(CHANNEL, HOME.base_id)
    return [fold.push(stored.value, stored.at_ms) for stored in await records(log)]
