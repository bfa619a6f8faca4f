"""Requests for events as a connection sees them: whose turn it is, and how they are framed."""

import asyncio
import re

import pytest

from libs.testing.served import served
from services.gateway.http_events import LAST_CHUNK, PATH, EventsRequest
from services.gateway.tests.edge import CHANNEL, Edge, edge

ANSWER_S = 10.0
CHUNK = re.compile(rb"([0-9a-f]+)\r\n")


def asked(it: Edge, *, version: str = "1.1", path: str = PATH, more: str = "") -> bytes:
    lines = [
        f"GET {path}?channels={CHANNEL} HTTP/{version}",
        "host: x",
        f"authorization: {it.bearer()['authorization']}",
        *filter(None, [more]),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def whole(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(ANSWER_S):
        return await reader.read()


def unchunked(body: bytes) -> bytes:
    """Raises `AssertionError` for chunks that are none, or have no end."""
    said = b""
    while True:
        found = CHUNK.match(body)
        assert found is not None, body[:40]
        size = int(found[1], 16)
        at = found.end()
        if not size:
            assert body == LAST_CHUNK
            return said
        said += body[at : at + size]
        assert body[at + size : at + size + 2] == b"\r\n"
        body = body[at + size + 2 :]


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_events_are_chunks_where_chunks_are_known_and_end_with_the_connection(
    version: str,
) -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        it.channel(head=10)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.split(":")[-1]))
        writer.write(asked(it, version=version))
        await it.parked(1)
        await it.revoke("s-ann")
        head, _, body = (await whole(reader)).partition(b"\r\n\r\n")
        writer.close()
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in head
        assert (b"transfer-encoding: chunked" in head) == (version == "1.1")
        events = unchunked(body) if version == "1.1" else body
        kinds = re.findall(rb'data: {"type":"(\w+)"', events)
        assert kinds == [b"welcome", b"watched", b"error"]


async def test_a_stream_waits_for_the_poll_before_it_and_one_after_it_is_not_begun() -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        it.channel(head=10)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.split(":")[-1]))
        poll = asked(it, path=f"/v1/channels/{CHANNEL}/poll")
        writer.write(poll + asked(it) + poll)
        await it.parked(1)
        await it.revoke("s-ann")
        said = await whole(reader)
        writer.close()
        assert said.count(b"HTTP/1.1 200 ") == 2
        assert said.index(b'"cursor":"1-10"') < said.index(b"text/event-stream")


async def test_a_client_that_goes_while_its_token_is_asked_about_leaves_nothing() -> None:
    async with edge(connections_user_max=1) as it:
        it.channel(head=10)
        async with served(it.running.app, http=it.running.http) as address:
            port = int(address.split(":")[-1])
            for _ in range(3):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(asked(it))
                writer.transport.abort()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(asked(it))
            async with asyncio.timeout(ANSWER_S):
                assert await reader.readuntil(b"welcome")
            writer.close()


@pytest.mark.parametrize("more", ["expect: 100-continue", "content-length: 2"])
async def test_what_no_stream_begins_with_is_refused(more: str) -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.split(":")[-1]))
        writer.write(asked(it, more=more) + b"{}")
        async with asyncio.timeout(ANSWER_S):
            assert await reader.readuntil(b"field_invalid")
        writer.close()


def test_a_request_has_no_dict() -> None:
    """What one takes is counted in slots."""
    assert not hasattr(EventsRequest.__new__(EventsRequest), "__dict__")
