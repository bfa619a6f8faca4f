"""Clients that go away, over a real socket and the server of the product."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from libs.testing import served as product
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
