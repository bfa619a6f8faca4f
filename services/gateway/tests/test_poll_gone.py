"""Clients that go away, over a real socket and the server of the product."""

import asyncio
import json
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from libs.testing import served as product
from libs.testing.eventually import eventually
from services.gateway.tests.edge import CHANNEL, Edge, edge

HOST = "127.0.0.1"


@asynccontextmanager
async def served(it: Edge) -> AsyncIterator[int]:
    """The gateway on a port of its own."""
    async with product.served(it.running.app, http=it.running.http) as address:
        yield int(address.rpartition(":")[2])


def request(it: Edge, path: str) -> bytes:
    token = it.session.token("ann")
    head = f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    return head.encode()


async def ask(it: Edge, port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request(it, path))
    return reader, writer


async def told(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The body of a 200 answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200 ok\r\n")
    size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body: dict[str, Any] = json.loads(await reader.readexactly(size))
    return body


async def test_a_client_that_goes_away_is_parked_no_more(caplog: pytest.LogCaptureFixture) -> None:
    async with edge() as it, served(it) as port:
        it.channel()
        path = f"/v1/channels/{CHANNEL}/poll?after=1-10&wait=50"
        (_, gone), (reader, stays) = await ask(it, port, path), await ask(it, port, path)
        await it.parked(2)
        gone.close()
        await gone.wait_closed()
        await it.parked(1)
        await it.relay.append(CHANNEL)
        assert [each["id"] for each in (await told(reader))["entries"]] == [11]
        stays.close()
        await stays.wait_closed()
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_connection_polls_again_and_again() -> None:
    async with edge() as it, served(it) as port:
        it.channel()
        path = f"/v1/channels/{CHANNEL}/poll?after=1-9"
        reader, writer = await ask(it, port, path)
        for _ in range(3):
            assert (await told(reader))["cursor"] == "1-10"
            writer.write(request(it, path))
        writer.close()
        await writer.wait_closed()


async def test_who_breaks_the_connection_or_says_nothing_more_is_parked_no_more() -> None:
    async with edge() as it, served(it) as port:
        it.channel()
        path = f"/v1/channels/{CHANNEL}/poll?after=1-10&wait=50"
        (_, broken), (reader, silent) = await ask(it, port, path), await ask(it, port, path)
        await it.parked(2)
        # Nothing is sent before the end: the other side gets a reset.
        linger = struct.pack("ii", 1, 0)
        broken.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        broken.transport.abort()
        await it.parked(1)
        silent.write_eof()
        assert await reader.read() == b""
        await it.parked(0)
        silent.close()


async def test_a_hundred_who_come_and_go_leave_no_descriptor_behind() -> None:
    async with edge() as it, served(it) as port:
        it.channel()
        path = f"/v1/channels/{CHANNEL}/poll?after=1-10&wait=50"
        before = len(os.listdir("/proc/self/fd"))
        lines = [await ask(it, port, path) for _ in range(100)]
        await it.parked(100)
        for number, (_, writer) in enumerate(lines):
            # Every other one has sent a second request, which nobody looks at yet.
            writer.write(request(it, path) if number % 2 else b"")
        await it.relay.append(CHANNEL)
        for reader, writer in lines:
            assert [each["id"] for each in (await told(reader))["entries"]] == [11]
            writer.close()
            await writer.wait_closed()
        await it.parked(0)

        def closed() -> bool:
            return len(os.listdir("/proc/self/fd")) <= before

        await eventually(closed, within_s=5, what="all descriptors are closed")
