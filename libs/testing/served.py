"""An app behind a socket of its own, as the server of the product serves it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from libs.runtime.listener import Server, listening
from libs.testing.eventually import eventually

SOON_S = 10.0
HOST = "127.0.0.1"


@asynccontextmanager
async def served(
    app: ASGIApp,
    *,
    http: type[asyncio.Protocol] | None = None,
    kernel_bytes: int | None = None,
) -> AsyncIterator[str]:
    """The app behind a socket of its own; gives its address. `http`: the protocol of the service,
    if it has one. `kernel_bytes`: how much the kernel takes for a client that reads nothing, which
    is some MiB unless it is told."""
    listener = listening(HOST, 0)
    if kernel_bytes is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, kernel_bytes)
    server = Server(app, listener, http)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.live())
        await eventually(lambda: server.started, within_s=SOON_S, what="a server")
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
