"""The server of a port: uvicorn as we set it, with the bounds that it leaves open."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from websockets.frames import Frame

# Parked polls are answered by the drain; what is still open after this is cut.
SHUTDOWN_S = 5
BACKLOG = 4_096
# A connection between two requests. Whoever keeps it for the next one has to let it go first: a
# request that meets the close is lost, and nobody knows whether it was done. Proxies keep theirs
# for 60 s, and callers of ours for `calls.IDLE_S`.
KEEP_ALIVE_S = 75
# The largest message that a client sends: the cursors of 1,000 channels take 60 KiB, a post 64.
# By default it is 16 MiB, of each connection.
MESSAGE_BYTES_MAX = 256 << 10
# A message comes in as many frames as its sender likes, and empty ones have no size to be bounded.
FRAGMENTS_MAX = 1_024
TOO_BIG = 1009
# Who takes nothing for so long is cut. Without it the kernel asks for ever whether there is room,
# and keeps what was written until then: a connection that we have closed would never go.
UNTAKEN_MS = 30_000


class Server(uvicorn.Server):
    """A listener that leaves signals to the process. `http` makes the protocol of each connection:
    a subclass of uvicorn's on httptools, or None for that one as it is."""

    def __init__(
        self, app: ASGIApp, listener: socket.socket, http: type[asyncio.Protocol] | None = None
    ) -> None:
        super().__init__(_config(app, http))
        self._listener = listener

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def live(self) -> None:
        """Serve until it should exit."""
        await self.serve([self._listener])


class _Socket(WebSocketsSansIOProtocol):
    """A WebSocket whose client can make it remember only so much."""

    def handle_ping(self) -> None:
        """Who does not take what we wrote gets no answers more: nobody counts them."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: "Frame") -> None:
        """A part more of a message."""
        if len(self.frames) < FRAGMENTS_MAX:
            super().handle_cont(event)
        elif not self.close_sent:
            self.conn.fail(TOO_BIG, f"a message has at most {FRAGMENTS_MAX} frames")
            self.handle_parser_exception()


def listening(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """A socket that listens; port 0 is any. `is_shared`: others of this user may listen there too,
    and each connection goes to one of them. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    address = (host, port)
    listener = socket.create_server(address, family=family, backlog=BACKLOG, reuse_port=is_shared)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # What it accepts has it as well. Where there is none (outside Linux) nothing is cut.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN_MS)
    return listener


def _config(app: ASGIApp, http: type[asyncio.Protocol] | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=http or "httptools",
        ws=_Socket,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
