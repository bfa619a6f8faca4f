"""`GET /v1/ws`: the best way, where proxies let it through."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar

import aiohttp

from rostrum.door import retry_after_s
from rostrum.errors import SERVER_FAULT, TOO_MANY, Refused, SignedOut
from rostrum.following.lot import Lot
from rostrum.following.patience import Patience
from rostrum.http import Http
from rostrum.ways.link import FRAME_BYTES_MAX, Link
from rostrum.ways.talk import Desk, Greeting, Talk
from rostrum.ways.way import Changed, Gone, TokenRefused, token_of
from rostrum.wire import JSON_PROTOCOL, PACKED_PROTOCOL

WATCHES_MAX = 1_000
# How long whoever closes waits for the other side to close as well.
CLOSE_S = 1.0
PROBLEM_TYPE = "application/problem+json"


class Socket:
    """Hello, watch, and what comes. The newest ticket brings all connections in again."""

    name: ClassVar[str] = "websocket"

    def __init__(self, http: Http, patience: Patience) -> None:
        self.most = WATCHES_MAX
        self._http = http
        self._patience = patience
        self._ticket: str | None = None
        self._desk = Desk(http, patience, self._keep)

    async def listen(self, lot: Lot, opened: Callable[[], None]) -> None:
        """See `Way`."""
        async with self._talk() as talk:
            opened()
            self.most = max(talk.watches_max, 1)
            if len(lot) > self.most:
                raise Changed
            await talk.follow(lot)

    async def can_open(self, lot: Lot) -> bool:
        """See `Way`."""
        try:
            async with self._talk():
                return True
        except (Gone, Refused, SignedOut):
            return False

    @asynccontextmanager
    async def _talk(self) -> AsyncIterator[Talk]:
        # Fetched before the connection is made: a gateway does not wait long for hello.
        token = await token_of(self._http)
        try:
            async with self._link() as link:
                yield await Greeting(link, self._desk).say_hello(token, self._ticket)
        except TokenRefused:
            self._ticket = None
            raise

    def _keep(self, ticket: str) -> None:
        self._ticket = ticket

    @asynccontextmanager
    async def _link(self) -> AsyncIterator[Link]:
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
            yield Link(socket)

    def _denied(self, denied: aiohttp.WSServerHandshakeError, gateway: str) -> Gone:
        """A handshake was answered with a status: by a gateway, or by something in between."""
        headers: Mapping[str, str] = denied.headers or {}
        why = f"the WebSocket at {gateway} was answered with status {denied.status}"
        if denied.status < TOO_MANY or headers.get("Content-Type", "") != PROBLEM_TYPE:
            return Gone(why)
        if denied.status >= SERVER_FAULT:
            # It goes away, or lacks something that another one may have.
            self._http.leave(gateway)
        return Gone(why, after_s=retry_after_s(headers) or 0.0, is_told=True)
