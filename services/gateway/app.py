"""The gateway, put together."""

import asyncio

from fastapi import FastAPI

from libs.runtime.access import AccessLane
from libs.runtime.service import Ports, Running, Service
from libs.runtime.web import api
from libs.wire.services import GATEWAY
from libs.wire.topics import ACCESS_CHANGES, REVOCATIONS

from ..catalog import ROUTES
from .access import AccessMemory
from .clients import Pages
from .consumers import Consumers
from .draining import Draining
from .feed import Feed
from .http_poll import poll_http
from .hub import Hub, Room, Waiter
from .lanes import PostLanes
from .limits import Limits
from .metrics import BUFFERED, PARKED, RING_BYTES, ROOMS, STREAMS
from .parking import ParkingLot
from .poll_lane import PollLane
from .polls import Polls
from .posting import Posting
from .routes.document import document_routes
from .routes.events import event_routes
from .routes.forward import Forwarder
from .routes.pages import page_routes
from .routes.poll import poll_routes, poll_wishes
from .routes.poll_many import poll_many_routes
from .routes.posts import add_post_route
from .sessions import Sessions
from .settings import Settings
from .streams.registry import Registry
from .streams.stream import Surroundings
from .streams.talk import Desk
from .streams.tickets import Tickets
from .tokens import Tokens
from .wake import Waker

TICK_S = 1.0


class _Gateway:
    """The parts; nothing is connected until the loops run."""

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self.settings = settings
        self.ports = ports
        self.hub = Hub(now_s=ports.clock.monotonic(), ring_bytes=settings.ring_bytes)
        self.tokens = Tokens(ports, settings.token_memory)
        self.sessions = Sessions()
        self.tokens.on_revoked.append(self.sessions.end)
        self.limits = Limits(settings, ports.clock)
        self.access = AccessMemory(
            AccessLane(ports, settings.relay_s),
            ports.clock,
            yes_s=settings.access_remembered_s,
            kept_s=settings.access_kept_s,
            most=settings.access_memory,
        )
        self.waker = Waker(
            self.hub,
            _Timers(),
            self._straggle,
            now_s=ports.clock.monotonic,
            doubts=lambda: self.access.is_doubted,
            spread_ms=settings.wake_spread_ms,
        )
        self.feed = Feed(ports, self.hub, self.waker, settings)
        self.pages = Pages(ports, settings.relay_s)
        self.polls = Polls(ports, self.hub, access=self.access, feed=self.feed, pages=self.pages)
        self.consumers = Consumers(ports, self.access, self.tokens, hold=self.polls.hold)
        self.registry = Registry(self.sessions, ports.clock)
        self.posting = Posting(self.access, self._lanes(), self.limits)
        self.lot = self._lot()

    def serve(self) -> FastAPI:
        """The public routes."""
        ports, settings = self.ports, self.settings
        app = api(GATEWAY, signer=ports.signer, clock=ports.clock, document=None)
        app.include_router(poll_routes(self.tokens, settings))
        app.include_router(poll_many_routes(self.lot, settings))
        app.include_router(event_routes(self.tokens))
        app.include_router(
            page_routes(self.tokens, self.access, self.feed, pages=self.pages, limits=self.limits)
        )
        add_post_route(app, self.tokens, self.posting, settings)
        Forwarder(ports, self.tokens, settings).add(app, ROUTES)
        services = {route.service for route in ROUTES}
        open_paths = frozenset((route.method, route.path) for route in ROUTES if route.open)
        app.include_router(document_routes(app, services, open_paths, ports))
        return app

    async def tick(self) -> None:
        """Once a second: deadlines, and what is used no more."""
        while True:
            await self.ports.clock.sleep(TICK_S)
            now_s = self.ports.clock.monotonic()
            self.hub.expire(now_s)
            for room in self.hub.idle(now_s, self.settings.linger_s):
                self.feed.unwatch(room)
            self.registry.tick()
            self.consumers.note_silence()
            RING_BYTES.set(self.hub.trim())
            self.limits.tick()
            ROOMS.set(len(self.hub.rooms))

    def lacks(self) -> list[str]:
        """Why it is not ready."""
        return [*self.tokens.keys.lacks(), *self.feed.lacks(), *self.consumers.lacks()]

    def _straggle(self, room: Room, waiter: Waiter) -> None:
        self.ports.tasks.spawn(self.polls.catch_up(room, waiter), name="gateway.straggler")

    def _lanes(self) -> PostLanes:
        settings = self.settings
        return PostLanes(
            self.ports,
            self.access,
            deadline_s=settings.forward_s,
            waiting_max=settings.posts_waiting,
        )

    def _lot(self) -> ParkingLot:
        return ParkingLot(
            clock=self.ports.clock,
            tasks=self.ports.tasks,
            hub=self.hub,
            tokens=self.tokens,
            sessions=self.sessions,
            limits=self.limits,
            polls=self.polls,
            waker=self.waker,
        )

    def desk(self) -> Desk:
        """What streams need."""
        ports = self.ports
        return Desk(
            about=Surroundings(ports.clock, ports.tasks, self.limits, self.polls),
            tokens=self.tokens,
            tickets=Tickets(ports.signer, self.tokens),
            posting=self.posting,
            registry=self.registry,
            watches_max=self.settings.watches_max,
            is_draining=lambda: self.hub.is_draining,
        )


def build(settings: Settings, ports: Ports) -> Running:
    """A gateway over these ports; nothing is connected until its loops run."""
    gateway = _Gateway(settings, ports)
    PARKED.set_function(lambda: gateway.hub.parked)
    STREAMS.set_function(lambda: len(gateway.registry))
    BUFFERED.set_function(gateway.registry.buffered)
    return Running(
        app=gateway.serve(),
        loops={
            "feed": gateway.feed.run,
            "tick": gateway.tick,
            "keys": gateway.tokens.keys.run,
            ACCESS_CHANGES.name: gateway.consumers.access.run,
            REVOCATIONS.name: gateway.consumers.revocations.run,
        },
        lacks=gateway.lacks,
        drain=Draining(gateway.hub, gateway.registry, ports.clock).run,
        http=poll_http(PollLane(gateway.lot, poll_wishes(settings)), gateway.desk()),
    )


class _Timers:
    """Timers of the loop that runs at the time of the call: building needs none."""

    def call_soon(self, callback, *args):  # type: ignore[no-untyped-def]
        return asyncio.get_running_loop().call_soon(callback, *args)

    def call_later(self, delay, callback, *args):  # type: ignore[no-untyped-def]
        return asyncio.get_running_loop().call_later(delay, callback, *args)


SERVICE = Service(Settings, build)
