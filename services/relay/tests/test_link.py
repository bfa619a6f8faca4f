"""A link without its socket, and the socket's route without a network."""

import asyncio
from typing import Any

from fastapi import FastAPI

from libs.testing.eventually import eventually
from libs.wire import frames
from libs.wire.api import FEED
from libs.wire.frames import Snapshot, Watch
from services.relay.feed import Link
from services.relay.hub import DENIED, RESTART
from services.relay.routes import feed_routes
from services.relay.settings import Settings
from services.relay.tests.instance import NEWS, OTHER, SOON_S, WatchedLog, bare, ports


async def test_snapshots_wait_for_a_slow_gateway_and_do_not_cut_it_off(log: WatchedLog) -> None:
    async with bare(log) as (rings, hub), asyncio.TaskGroup() as group:
        made = ports(log, group)
        link = Link(rings, hub, made.tasks, Settings(link_frames=4, watchers_per_link=1))
        link.beat(1)
        link.beat(1)
        for channel in (NEWS, OTHER):
            link.hear(frames.encode(Watch(channel, -1, -1)))
        await rings.ring(NEWS, -1)
        assert NEWS not in hub.watchers
        heard: list[str] = []
        while len(heard) < 2:
            raw = await link.next_frame()
            assert raw is not None
            frame = frames.to_gateway(raw)
            heard += [frame.channel] if isinstance(frame, Snapshot) else []
        assert heard == [NEWS, OTHER]
        link.close(RESTART)
        assert await link.next_frame() is None


async def test_a_link_that_ends_leaves_nothing_behind(log: WatchedLog) -> None:
    async with bare(log) as (rings, hub), asyncio.TaskGroup() as group:
        link = Link(rings, hub, ports(log, group).tasks, Settings())
        link.hear(frames.encode(Watch(NEWS, -1, -1)))
        await eventually(lambda: NEWS in hub.watchers, within_s=SOON_S, what="the watch")
        log.go.clear()
        link.hear(frames.encode(Watch(OTHER, -1, -1)))
        link.close(RESTART)
        link.leave()
        log.go.set()
    assert (hub.watchers, hub.outboxes) == ({}, {})


async def test_a_socket_without_an_identity_is_closed_before_it_opens(log: WatchedLog) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async with bare(log) as (rings, hub), asyncio.TaskGroup() as group:
        made = ports(log, group)
        app = FastAPI()
        app.include_router(
            feed_routes(made, lambda: Link(rings, hub, made.tasks, Settings()), lambda: 0)
        )
        scope = {"type": "websocket", "path": FEED, "headers": [], "query_string": b""}
        await app(scope, receive, send)
    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", DENIED)]
    assert hub.outboxes == {}
