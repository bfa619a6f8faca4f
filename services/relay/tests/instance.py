"""A relay over a log with channels, with and without its socket."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from libs.log.faults import FaultyLog, Script
from libs.log.port import Ends, Log, Partition, Stored
from libs.runtime.calls import Caller
from libs.runtime.clock import SystemClock
from libs.runtime.directory import DirectoryReader
from libs.runtime.identity import HEADER, Identity, Signer
from libs.runtime.secrets import Secrets
from libs.runtime.service import Loop, Ports, Running
from libs.runtime.tasks import GroupTasks
from libs.store import open_store
from libs.testing.eventually import eventually
from libs.wire import frames, ids
from libs.wire.api import FEED, PAGES, Page, PageQuestion
from libs.wire.codec import pack, unpack
from libs.wire.directory import Placement
from libs.wire.entries import Entry
from libs.wire.fold import WINDOW, ChannelFold
from libs.wire.frames import Appended, Beat, Snapshot, ToGateway, ToRelay, Unwatched
from libs.wire.records import Claim, Message, Signal, encode
from libs.wire.services import GATEWAY, RELAY
from libs.wire.topics import DIRECTORY, SIGNALS, pool
from services.relay.app import build
from services.relay.hub import Hub
from services.relay.rings import Rings
from services.relay.settings import Settings

SOON_S = 5.0
CLOCK = SystemClock()
SIGNER = Signer(b"k" * 32)
POOL = pool(0, 8)
ANNA = ids.derived("user", "anna")
NEWS, OTHER, NOWHERE = (ids.derived("channel", name) for name in ("news", "other", "nowhere"))


def home(channel: str = NEWS, partition: int = 3, *, epoch: int = 1, base_id: int = 1) -> Placement:
    """Where a channel is."""
    return Placement(
        channel=channel,
        epoch=epoch,
        topic=POOL.name,
        partition=partition,
        base_offset=0,
        base_id=base_id,
        kind="group",
        visibility="public",
        claim_offset=-1,
    )


FAR = WINDOW - 12
_numbers = count()
HOMES = {NEWS: home(NEWS, 3), OTHER: home(OTHER, 4)}


async def claim(log: Log, place: Placement) -> int:
    """Give a channel its partition. The claim's offset."""
    record = Claim(
        channel=place.channel,
        epoch=place.epoch,
        topic=place.topic,
        partition=place.partition,
        base_offset=place.base_offset,
        base_id=place.base_id,
        kind=place.kind,
        owner=ANNA,
        visibility=place.visibility,
        title="A title",
    )
    return (await log.append(Partition(DIRECTORY.name, 0), encode(record))).offset


async def append(
    log: Log,
    how_many: int = 1,
    *,
    channel: str = NEWS,
    text: str = "hello",
    signalled: bool = True,
    place: Placement | None = None,
) -> int:
    """Append messages, and their signals if wished. The last one's id."""
    at = place or HOMES[channel]
    ident = 0
    for _ in range(how_many):
        raw = encode(Message(channel=channel, author=ANNA, client_id=_client_id(), text=text))
        done = await log.append(Partition(at.topic, at.partition), raw)
        ident = at.id_of(done.offset)
        if signalled:
            await signal(log, at, ident=ident, at_ms=done.at_ms, raw=raw)
    return ident


def _client_id() -> str:
    # Every seventh repeats one from afar, as far as the channel has so many.
    number = next(_numbers)
    return f"c{number - FAR if number % 7 == 6 else number}"


async def signal(log: Log, at: Placement, *, ident: int, at_ms: int, raw: bytes | None) -> None:
    """Append a signal."""
    record = Signal(channel=at.channel, epoch=at.epoch, id=ident, at_ms=at_ms, record=raw)
    await log.append(Partition(SIGNALS.name, SIGNALS.partition_of(at.channel)), encode(record))


async def entries(log: Log, channel: str = NEWS) -> list[Entry]:
    """The channel's entries, folded from the first on."""
    at, start, found = HOMES[channel], 0, []
    fold = ChannelFold(channel, at.base_id)
    while batch := await log.read(Partition(at.topic, at.partition), start, limit=1_000):
        found += [fold.push(stored.value, stored.at_ms) for stored in batch]
        start = batch[-1].offset + 1
    return found


class WatchedLog(FaultyLog):
    """Counts reads of channels, and can say that they end earlier than they do."""

    def __init__(self, inner: Log) -> None:
        super().__init__(inner, Script())
        self.reads = 0
        self.cut_by = 0
        self.go = asyncio.Event()
        self.go.set()

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        if partition.topic == POOL.name:
            self.reads += 1
            await self.go.wait()
        return await super().read(partition, start, limit=limit)

    async def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        found = await super().ends(partitions)
        return {
            partition: ends._replace(next=ends.next - self.cut_by)
            if partition.topic == POOL.name
            else ends
            for partition, ends in found.items()
        }


@dataclass(frozen=True)
class Relay:
    """A running relay."""

    running: Running
    http: httpx.AsyncClient
    url: str

    async def page(self, first: int, limit: int, channel: str = NEWS) -> Page:
        """A page that is there."""
        reply = await self.ask(PageQuestion(channel, -1, first, limit))
        assert reply.status_code == 200, reply.text
        return unpack(reply.content, Page)

    async def ask(self, question: PageQuestion) -> httpx.Response:
        """Ask as a gateway does."""
        return await self.http.post(PAGES, content=pack(question), headers=identity())

    def connect(self) -> connect:
        """A gateway's link."""
        return connect(
            self.url + FEED, additional_headers=identity(), compression=None, ping_interval=None
        )


def identity() -> dict[str, str]:
    """The header of a gateway."""
    return {HEADER: SIGNER.sign(Identity(GATEWAY), CLOCK.now_ms())}


def ports(log: Log, group: asyncio.TaskGroup) -> Ports:
    """Ports over a log; what is spawned belongs to `group`."""
    return Ports(
        log=log,
        store=open_store(""),
        calls=Caller(RELAY, signer=SIGNER, clock=CLOCK, addresses={}),
        clock=CLOCK,
        tasks=GroupTasks(group),
        signer=SIGNER,
        secrets=Secrets(Path("nowhere"), may_make=False),
        new_id=lambda: "id",
    )


@asynccontextmanager
async def bare(log: Log, *, bytes_max: int = 1 << 20) -> AsyncIterator[tuple[Rings, Hub]]:
    """Rings without loops: nothing comes but what a test gives them."""
    async with asyncio.TaskGroup() as group:
        made = ports(log, group)
        hub = Hub()
        directory = DirectoryReader(log, CLOCK)
        yield Rings(made, directory, hub, bytes_max=bytes_max, reads_max=4), hub


@asynccontextmanager
async def running(log: Log, settings: Settings | None = None) -> AsyncIterator[Relay]:
    """A relay with its loops and its socket, ready."""
    async with asyncio.TaskGroup() as group:
        built = build(settings or Settings(), ports(log, group))
        loops = [group.create_task(_run(loop)) for loop in built.loops.values()]
        server = uvicorn.Server(_config(built))
        serving = group.create_task(server.serve())
        await eventually(lambda: server.started, within_s=SOON_S, what="the server listens")
        await eventually(lambda: not built.lacks(), within_s=SOON_S, what="the relay is ready")
        port = server.servers[0].sockets[0].getsockname()[1]
        transport = httpx.ASGITransport(built.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://relay") as http:
            yield Relay(built, http, f"ws://127.0.0.1:{port}")
        await built.drain(0.0)
        server.should_exit = True
        await serving
        for loop in loops:
            loop.cancel()


async def tell(link: ClientConnection, frame: ToRelay) -> None:
    """Send a frame."""
    await link.send(frames.encode(frame))


async def hear(link: ClientConnection) -> Snapshot | Appended | Unwatched:
    """The next frame that is no beat."""
    async with asyncio.timeout(SOON_S):
        while True:
            frame = await hear_any(link)
            if not isinstance(frame, Beat):
                return frame


async def hear_any(link: ClientConnection) -> ToGateway:
    """The next frame."""
    async with asyncio.timeout(SOON_S):
        raw = await link.recv(decode=False)
    assert isinstance(raw, bytes)
    return frames.to_gateway(raw)


async def _run(loop: Loop) -> None:
    await loop()


def _config(built: Running) -> uvicorn.Config:
    return uvicorn.Config(
        built.app,
        host="127.0.0.1",
        port=0,
        lifespan="off",
        log_config=None,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        timeout_graceful_shutdown=1,
    )
