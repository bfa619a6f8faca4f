"""HTTP and WebSocket in: pages, and the feed of a gateway."""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response, WebSocket, WebSocketDisconnect

from libs.runtime import identity
from libs.runtime.identity import Forged
from libs.runtime.service import Ports
from libs.runtime.web import FromService, packed, unpacked
from libs.wire import api
from libs.wire.api import PageQuestion

from .feed import Link
from .handlers import Pages
from .hub import DENIED, GONE, MALFORMED
from .metrics import LINKS

# A gateway that reads nothing does not answer a close either.
CLOSE_S = 1.0


def page_routes(pages: Pages) -> APIRouter:
    """The route of pages."""
    router = APIRouter()

    @router.post(api.PAGES, include_in_schema=False)
    async def page(_: FromService, request: Request) -> Response:
        return packed(await pages.page(await unpacked(request, PageQuestion)))

    return router


def feed_routes(
    ports: Ports, new_link: Callable[[], Link], reconciled_ms: Callable[[], int]
) -> APIRouter:
    """The feed: binary messages of one frame each."""
    router = APIRouter()

    @router.websocket(api.FEED)
    async def feed(websocket: WebSocket) -> None:
        try:
            known = websocket.headers.get(identity.HEADER, "")
            ports.signer.verify(known, ports.clock.now_ms())
        except Forged:
            await websocket.close(DENIED)
            return
        await websocket.accept()
        link = new_link()
        link.beat(reconciled_ms())
        LINKS.inc()
        try:
            await _converse(websocket, link, ports)
        finally:
            link.leave()
            LINKS.dec()

    return router


async def _converse(websocket: WebSocket, link: Link, ports: Ports) -> None:
    """Until the gateway goes or the link is closed."""
    hearing = ports.tasks.spawn(_hear(websocket, link), name="relay.hear")
    telling = ports.tasks.spawn(_tell(websocket, link), name="relay.tell")
    try:
        await link.closed()
    finally:
        hearing.cancel()
        telling.cancel()
    await _close(websocket, link)


async def _hear(websocket: WebSocket, link: Link) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            link.close(GONE)
            return
        raw = message.get("bytes")
        if raw is None:
            link.close(MALFORMED)
            return
        link.hear(raw)


async def _tell(websocket: WebSocket, link: Link) -> None:
    try:
        while (frame := await link.next_frame()) is not None:
            await websocket.send_bytes(frame)
    except (WebSocketDisconnect, RuntimeError):
        # Both say that the gateway has gone; which one depends on who noticed first.
        link.close(GONE)


async def _close(websocket: WebSocket, link: Link) -> None:
    code = link.outbox.code
    if code is None or code == GONE:
        return
    try:
        async with asyncio.timeout(CLOSE_S):
            await websocket.close(code)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        # It is gone, or reads nothing: the server cuts what is left of it.
        return
