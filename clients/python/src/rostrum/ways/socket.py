"""`GET /v1/ws`: the best way, where proxies let it through."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ClassVar, Never

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMsgType

from rostrum import wire
from rostrum.errors import Problem, SignedOut, Unreachable, problem
from rostrum.following.lot import Lot
from rostrum.following.patience import Patience
from rostrum.following.together import until_one_ends
from rostrum.http import Http
from rostrum.packed import Unpacker
from rostrum.ways.way import Drained, Gone, Silent, TokenRefused, ending, token_of
from rostrum.wire import (
    JSON_PROTOCOL,
    PACKED_PROTOCOL,
    Auth,
    Drain,
    Fault,
    FromGateway,
    Hello,
    Malformed,
    Renewed,
    ToGateway,
    Unwatch,
    Watch,
    Welcome,
)

WATCHES_MAX = 1_000
# A hundred entries of the longest texts, escaped, twice.
FRAME_BYTES_MAX = 8 << 20
# How long whoever closes waits for the other side to close as well.
CLOSE_S = 1.0
# From the `error` that ends a stream to its close, which comes right after.
FAULT_S = 5.0
# No renewal of a token is asked for more often, however soon it expires.
AUTH_EVERY_S = 5.0
# What a gateway does not know expires at this part of what is left.
AUTH_PART = 1 / 3


class Socket:
    """Hello, watch, and what comes. The newest ticket brings all connections in again."""

    name: ClassVar[str] = "websocket"

    def __init__(self, http: Http, patience: Patience) -> None:
        self.most = WATCHES_MAX
        self._http = http
        self._patience = patience
        self._ticket: str | None = None

    async def listen(self, lot: Lot, opened: Callable[[], None]) -> None:
        """See `Way`."""
        async with self._talk() as talk:
            opened()
            if len(lot) > self.most:
                raise Changed
            await until_one_ends(talk.hear(lot), talk.ask(lot), talk.renew())

    async def can_open(self, lot: Lot) -> bool:
        """See `Way`."""
        try:
            async with self._talk():
                return True
        except (Gone, Refused):
            return False

    @asynccontextmanager
    async def _talk(self) -> AsyncIterator["_Talk"]:
        # Fetched before the connection is made: a gateway does not wait long for hello.
        token = await token_of(self._http)
        try:
            async with self._link() as link:
                greeting = _Greeting(link, self._ticket, token)
                yield await greeting.welcomed(self._patience, self._keep, self._http)
        except TokenRefused:
            self._ticket = None
            raise

    @asynccontextmanager
    async def _link(self) -> AsyncIterator["_Link"]:
        gateway = self._http.gateway()
        try:
            async with asyncio.timeout(self._patience.open_s):
                socket = await self._http.raw.ws_connect(
                    f"{gateway}/v1/ws",
                    protocols=(PACKED_PROTOCOL, JSON_PROTOCOL),
                    max_msg_size=FRAME_BYTES_MAX,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                )
        except aiohttp.WSServerHandshakeError as denied:
            raise self._denied(denied, gateway) from denied
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise Gone(f"no WebSocket at {gateway}: {fault!r}") from fault
        async with socket:
            yield _Link(socket)
