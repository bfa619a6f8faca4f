"""Clients that stop reading, over real sockets: what is kept for them, and that it ends."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from libs.testing.eventually import eventually
from libs.testing.served import served
from libs.wire import streams
from libs.wire.frames import Appended
from libs.wire.streams import JSON_PROTOCOL
from services.gateway.metrics import STREAMS, STREAMS_CLOSED
from services.gateway.streams.outbox import BYTES_MAX
from services.gateway.streams.registry import STUCK_S
from services.gateway.tests.edge import CHANNEL, WITHIN_S, Edge, edge
from services.gateway.tests.listeners import entry
from services.gateway.tests.talkers import FORMS, Frame, Talker, talking

KERNEL_BYTES = 4_096
TEXT = "x" * 1_000
BATCH = 20
# Of what is beside the outbox: the server's own buffer, what both kernels hold, and frames.
BESIDE = 300 << 10
ENOUGH = 50

forms = pytest.mark.parametrize("form", FORMS, ids=["json", "msgpack"])


def narrow(address: str) -> socket.socket:
    """A connection of which the kernel holds little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
    sock.connect(("127.0.0.1", urlsplit(address).port))
    sock.setblocking(False)
    return sock


@asynccontextmanager
async def slow(it: Edge, address: str, form: str = JSON_PROTOCOL) -> AsyncIterator[Talker]:
    """A client that was welcome; `link.transport` says whether it reads."""
    async with talking(address, form, sock=narrow(address)) as talker:
        assert (await talker.greet(it.session.token("ann")))["type"] == "welcome"
        yield talker


async def fill(it: Edge, batches: int = ENOUGH) -> int:
    """Append long entries, and let the gateway hear of them. Returns the head."""
    log = it.relay.channels[CHANNEL]
    for _ in range(batches):
        more = tuple(entry(log.head + number, TEXT) for number in range(1, BATCH + 1))
        log.entries.extend(more)
        await it.relay.send(Appended(CHANNEL, log.epoch, more))
    await it.until(lambda: _head(it), f"{log.head}")
    return log.head


async def _head(it: Edge) -> str:
    return str((await it.poll(user="bob")).json()["head"])


def ids(frame: Frame) -> list[int]:
    return [each["id"] for each in frame["entries"]]


async def pulled(it: Edge, cursor: str) -> tuple[list[int], str]:
    """What polls give from a cursor on, and where they end."""
    seen: list[int] = []
    told: dict[str, Any] = {"cursor": cursor, "more": True}
    while told["more"]:
        told = (await it.poll(after=told["cursor"], wait=0)).json()
        assert "jump" not in told
        seen += ids(told)
    return seen, told["cursor"]


def closed_slow() -> float:
    return float(STREAMS_CLOSED.labels(str(streams.CLOSE_SLOW))._value.get())


def working() -> list[str]:
    """Tasks that only streams and parked requests have."""
    names = (task.get_name() for task in asyncio.all_tasks())
    return [name for name in names if name.startswith("gateway.") and name.count(".") == 1]


async def left_nothing(it: Edge) -> None:
    """No stream, no waiter, no task, and a seat for the next one."""

    def is_gone() -> bool:
        (metric,) = STREAMS.collect()
        assert (metric.samples[0].value, working()) == (0, [])
        return True

    await eventually(is_gone, within_s=WITHIN_S, what="nothing is left")
    await it.parked(0)

    async def is_seated() -> bool:
        async with (
            served(it.running.app, http=it.running.http) as address,
            talking(address) as talker,
        ):
            return bool((await talker.greet(it.session.token("ann")))["type"] == "welcome")

    await eventually(is_seated, within_s=WITHIN_S, what="a seat")


@forms
@pytest.mark.law("L8")
async def test_who_falls_behind_pulls_and_watches_again_and_gets_all_once(form: str) -> None:
    async with (
        edge() as it,
        served(it.running.app, http=it.running.http, kernel_bytes=KERNEL_BYTES) as address,
    ):
        it.channel(head=10)
        async with slow(it, address, form) as talker:
            await talker.watch(**{CHANNEL: "1-10"})
            assert (await talker.hear())["type"] == "watched"
            talker.link.transport.pause_reading()
            head = await fill(it)
            await it.parked(0)
            talker.link.transport.resume_reading()
            seen: list[int] = []
            while (frame := await talker.hear())["type"] == "entries":
                seen += ids(frame)
            assert (frame["type"], frame["cursor"]) == ("behind", f"1-{seen[-1]}")
            assert 10 < seen[-1] < frame["head"] <= head
            assert len(seen) * len(TEXT) <= BYTES_MAX + BESIDE
            more, cursor = await pulled(it, frame["cursor"])
            await talker.watch(**{CHANNEL: cursor})
            assert (await talker.hear())["type"] == "watched"
            await it.relay.append(CHANNEL)
            seen += more + ids(await talker.hear())
            assert seen == list(range(11, head + 2))


@forms
async def test_who_reads_nothing_for_ten_seconds_is_closed_and_leaves_nothing(form: str) -> None:
    async with (
        edge(connections_user_max=1) as it,
        served(it.running.app, http=it.running.http, kernel_bytes=KERNEL_BYTES) as address,
    ):
        it.channel(head=10)
        closed = closed_slow()
        async with slow(it, address, form) as talker:
            await talker.watch(**{CHANNEL: "1-10"})
            assert (await talker.hear())["type"] == "watched"
            talker.link.transport.pause_reading()
            began_s = it.clock.monotonic()
            await fill(it)
            await it.soon(lambda: closed_slow() > closed, "it is closed")
            assert it.clock.monotonic() - began_s <= STUCK_S + 5
            await left_nothing(it)
            talker.link.transport.abort()


@forms
@pytest.mark.law("L8")
async def test_who_reads_again_in_time_gets_all_that_was_queued_and_is_told_why(form: str) -> None:
    """A frame that waited when the stream was closed is among them."""
    async with (
        edge() as it,
        served(it.running.app, http=it.running.http, kernel_bytes=KERNEL_BYTES) as address,
    ):
        it.channel(head=10)
        closed = closed_slow()
        async with slow(it, address, form) as talker:
            await talker.watch(**{CHANNEL: "1-10"})
            assert (await talker.hear())["type"] == "watched"
            talker.link.transport.pause_reading()
            await fill(it)
            await it.soon(lambda: closed_slow() > closed, "it is closed")
            talker.link.transport.resume_reading()
            seen: list[int] = []
            while (frame := await talker.hear())["type"] == "entries":
                seen += ids(frame)
            assert (frame["type"], frame["cursor"]) == ("behind", f"1-{seen[-1]}")
            assert seen == list(range(11, seen[-1] + 1))
            assert await talker.closed() == streams.CLOSE_SLOW


async def test_who_stops_while_it_is_served_from_pages_leaves_nothing() -> None:
    async with (
        edge(connections_user_max=1) as it,
        served(it.running.app, http=it.running.http, kernel_bytes=KERNEL_BYTES) as address,
    ):
        it.channel(head=0)
        await fill(it, 45)
        closed = closed_slow()
        async with slow(it, address) as talker:
            talker.link.transport.pause_reading()
            await talker.watch(**{CHANNEL: "1-1"})
            await eventually(lambda: "gateway.watch" in working(), within_s=5, what="it is served")
            await it.soon(lambda: closed_slow() > closed, "it is closed")
            await left_nothing(it)
            talker.link.transport.abort()


async def pinging(talker: Talker) -> None:
    frame = json.dumps({"type": "ping", "ref": 1 << 62})
    while True:
        await talker.link.send(frame)


async def test_pings_of_who_reads_no_answers_end_the_stream() -> None:
    async with (
        edge() as it,
        served(it.running.app, http=it.running.http, kernel_bytes=KERNEL_BYTES) as address,
    ):
        it.channel(head=10)
        closed = closed_slow()
        async with slow(it, address) as talker:
            await talker.watch(**{CHANNEL: "1-10"})
            assert (await talker.hear())["type"] == "watched"
            talker.link.transport.pause_reading()
            await fill(it)
            flood = asyncio.create_task(pinging(talker))
            await eventually(lambda: closed_slow() > closed, within_s=20, what="it is closed")
            flood.cancel()
            talker.link.transport.abort()
            await asyncio.wait([flood])


async def test_one_channel_that_is_watched_again_and_again_is_a_bounded_number_of_tasks() -> None:
    async with edge(watches_max=5) as it, served(it.running.app, http=it.running.http) as address:
        it.channel()
        async with talking(address) as talker:
            await talker.greet(it.session.token("ann"))
            it.members.goes_on.clear()
            told: list[str] = []
            for _ in range(20):
                await talker.watch(**{CHANNEL: "1-10"})
                told += await told_before_pong(talker)
            assert told == ["limit_hit"] * 15
            assert working().count("gateway.watch") == 5
            it.members.goes_on.set()
            await it.soon(lambda: "gateway.watch" not in working(), "they have settled")
            await talker.watch(**{CHANNEL: "1-10"})
            assert (await talker.hear())["type"] == "watched"


async def told_before_pong(talker: Talker) -> list[str]:
    """The codes of what is refused before a ping is answered."""
    await talker.say("ping")
    codes = []
    while (frame := await talker.hear())["type"] != "pong":
        codes.append(frame["code"])
    return codes


class RawEvents:
    """Server-sent events, read when the test says so."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def ask(self, it: Edge, *, last_id: str = "") -> None:
        lines = [
            f"GET /v1/stream?channels={CHANNEL} HTTP/1.1",
            "host: x",
            f"authorization: {it.bearer()['authorization']}",
            f"last-event-id: {last_id}",
        ]
        await self._loop.sock_sendall(self._sock, "\r\n".join([*lines, "", ""]).encode())

    async def rest(self) -> list[tuple[str, Frame]]:
        """Id and frame of all events up to the end of the connection."""
        read = b""
        while part := await self._loop.sock_recv(self._sock, 65_536):
            read += part
        pairs = re.findall(rb"id: (.*)\ndata: (.*)\n\n", read)
        return [(ident.decode(), json.loads(data)) for ident, data in pairs]


@pytest.mark.law("L8")
async def test_events_that_nobody_reads_end_and_their_last_id_resumes() -> None:
    async with (
        edge(connections_user_max=1) as it,
        served(it.running.app, http=it.running.http, kernel_bytes=KERNEL_BYTES) as address,
    ):
        it.channel(head=10)
        closed = closed_slow()
        with narrow(address) as sock:
            stream = RawEvents(sock)
            await stream.ask(it, last_id=f"{CHANNEL}=1-10")
            await it.parked(1)
            head = await fill(it)
            await it.soon(lambda: closed_slow() > closed, "it is closed")
            await left_nothing(it)
            events = await stream.rest()
        seen = [each for _, frame in events if frame["type"] == "entries" for each in ids(frame)]
        assert seen == list(range(11, seen[-1] + 1))
        assert events[-1][0] == f"{CHANNEL}=1-{seen[-1]}"
        more, _ = await pulled(it, f"1-{seen[-1]}")
        assert seen + more == list(range(11, head + 1))
