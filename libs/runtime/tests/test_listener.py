"""What a client of the server can make it hold, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from libs.runtime.calls import IDLE_S
from libs.runtime.listener import FRAGMENTS_MAX, MESSAGE_BYTES_MAX, UNTAKEN_MS, Server, listening
from libs.testing.eventually import eventually

HOST = "127.0.0.1"
SOON_S = 10.0
SMALL_BYTES = 4_096


class Echo:
    """Says what it hears, each message as often as `times`."""

    def __init__(self) -> None:
        self.times = 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        while (heard := await receive())["type"] == "websocket.receive":
            for _ in range(self.times):
                await send({"type": "websocket.send", "bytes": heard["bytes"]})


@asynccontextmanager
async def serving(app: Echo) -> AsyncIterator[Server]:
    listener = listening(HOST, 0)
    # What a client does not take is to fill soon.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BYTES)
    server = Server(app, listener)
    task = asyncio.create_task(server.live())
    await eventually(lambda: server.started, within_s=SOON_S, what="a server")
    try:
        yield server
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[ClientConnection]:
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"ws://{HOST}:{port}"
    async with connect(url, compression=None, proxy=None, ping_interval=None) as link:
        yield link


def connection_of(server: Server) -> Any:
    (connection,) = server.server_state.connections
    return connection


async def settled(size: Callable[[], int]) -> int:
    """What is there when nothing moves any more."""
    seen: list[int] = []

    def stands() -> bool:
        seen.append(size())
        return seen[-1] > 0 and seen[-5:].count(seen[-1]) == 5

    await eventually(stands, within_s=SOON_S, what="a buffer that nobody takes from")
    return seen[-1]


PROXY_KEEPS_S = 60


async def test_an_idle_connection_is_kept_longer_than_whoever_may_use_it_again_keeps_it() -> None:
    """Else a request meets the close, and whoever sent it cannot know whether it was done."""
    async with serving(Echo()) as server:
        assert server.config.timeout_keep_alive > max(PROXY_KEEPS_S, 2 * IDLE_S)


async def test_the_largest_message_is_taken_and_a_larger_one_ends_the_connection() -> None:
    async with serving(Echo()) as server, connected(server) as link:
        await link.send(bytes(MESSAGE_BYTES_MAX))
        assert len(await link.recv()) == MESSAGE_BYTES_MAX
        await link.send(bytes(MESSAGE_BYTES_MAX + 1))
        with pytest.raises(ConnectionClosed):
            await link.recv()
        assert link.close_code == 1009


async def test_a_message_of_too_many_frames_ends_the_connection() -> None:
    async with serving(Echo()) as server, connected(server) as link:
        await link.send([b"x"] * (FRAGMENTS_MAX - 1))
        assert len(await link.recv()) == FRAGMENTS_MAX - 1
        await link.send([b"x", *[b""] * FRAGMENTS_MAX])
        with pytest.raises(ConnectionClosed):
            await link.recv()
        assert link.close_code == 1009


async def test_a_client_that_takes_nothing_gets_no_more_pongs() -> None:
    """Each would be kept until it is taken."""
    app = Echo()
    app.times = 10_000
    async with serving(app) as server, connected(server) as link:
        await link.ping()
        connection = connection_of(server)
        transport = connection.transport
        link.transport.pause_reading()
        await link.send(bytes(10_000))
        held = await settled(transport.get_write_buffer_size)
        for number in range(5_000):
            await link.ping(b"%0125d" % number)
        await link.send(b"after all of them")
        await eventually(connection.queue.qsize, within_s=SOON_S, what="all has come")
        assert transport.get_write_buffer_size() <= held
        link.transport.abort()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
async def test_the_kernel_cuts_who_takes_nothing() -> None:
    """Told for the listener, and so for each connection."""
    async with serving(Echo()) as server, connected(server):
        accepted = connection_of(server).transport.get_extra_info("socket")
        option = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert option == UNTAKEN_MS
