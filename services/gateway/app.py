"""The gateway, put together."""

import asyncio

from libs.runtime.access import AccessLane
from libs.runtime.service import Ports, Running, Service
from libs.runtime.web import api
from libs.wire.services import GATEWAY
from libs.wire.topics import ACCESS_CHANGES, REVOCATIONS

from ..catalog import ROUTES
from .access import AccessMemory
from .clients import Pages
from .consumers import Consumers
from .feed import Feed
from .hub import Hub, Room, Waiter
from .lanes import PostLanes
from .metrics import PARKED, RING_BYTES, ROOMS
from .polls import Polls
from .routes.document import document_routes
from .routes.forward import Forwarder
from .routes.pages import page_routes
from .routes.poll import poll_routes
from .routes.posts import add_post_route
from .settings import Settings
from .tokens import Tokens
from .wake import Waker

TICK_S = 1.0
RECONNECT_AFTER_MS = 1_000


def build(settings: Settings, ports: Ports) -> Running:
    """A gateway over these ports; nothing is connected until its loops run."""
    hub = Hub(now_s=ports.clock.monotonic(), ring_bytes=settings.ring_bytes)
    tokens = Tokens(ports, settings.token_memory)
    lane = AccessLane(ports, settings.relay_s)
    access = AccessMemory(
        lane,
        ports.clock,
        yes_s=settings.access_remembered_s,
        kept_s=settings.access_kept_s,
        most=settings.access_memory,
    )
    pages = Pages(ports, settings.relay_s)

    def straggle(room: Room, waiter: Waiter) -> None:
        ports.tasks.spawn(polls.catch_up(room, waiter), name="gateway.straggler")

    feed = Feed(ports, hub, Waker(hub, _Timers(), straggle), settings)
    polls = Polls(ports, hub, access=access, feed=feed, pages=pages)
    consumers = Consumers(ports, access, tokens, hold=polls.hold)

    app = api(GATEWAY, signer=ports.signer, clock=ports.clock, document=None)
    app.include_router(poll_routes(polls, tokens, ports.tasks, settings))
    app.include_router(page_routes(tokens, access, feed, pages))
    lanes = PostLanes(
        ports, access, deadline_s=settings.forward_s, waiting_max=settings.posts_waiting
    )
    add_post_route(app, tokens, lanes, settings)
    Forwarder(ports, tokens, settings).add(app, ROUTES)
    open_paths = frozenset((route.method, route.path) for route in ROUTES if route.open)
    app.include_router(document_routes(app, {route.service for route in ROUTES}, open_paths, ports))

    async def tick() -> None:
        while True:
            await ports.clock.sleep(TICK_S)
            now_s = ports.clock.monotonic()
            hub.expire(now_s)
            for room in hub.idle(now_s, settings.linger_s):
                feed.unwatch(room)
            RING_BYTES.set(hub.trim())
            PARKED.set(hub.parked)
            ROOMS.set(len(hub.rooms))

    async def drain() -> None:
        hub.drain(RECONNECT_AFTER_MS)

    return Running(
        app=app,
        loops={
            "feed": feed.run,
            "tick": tick,
            "keys": tokens.keys.run,
            ACCESS_CHANGES.name: consumers.access.run,
            REVOCATIONS.name: consumers.revocations.run,
        },
        lacks=lambda: [*tokens.keys.lacks(), *feed.lacks(), *consumers.lacks()],
        drain=drain,
    )


class _Timers:
    """Timers of the loop that runs at the time of the call: building needs none."""

    def call_soon(self, callback, *args):  # type: ignore[no-untyped-def]
        return asyncio.get_running_loop().call_soon(callback, *args)

    def call_later(self, delay, callback, *args):  # type: ignore[no-untyped-def]
        return asyncio.get_running_loop().call_later(delay, callback, *args)


SERVICE = Service(Settings, build)
