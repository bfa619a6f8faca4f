"""Relay, put together."""

from functools import partial

from libs.runtime.directory import DirectoryReader
from libs.runtime.service import Ports, Running, Service
from libs.runtime.web import api
from libs.wire import frames
from libs.wire.frames import Beat
from libs.wire.services import RELAY

from .consumers import Reconciler, SignalTail
from .feed import Link
from .handlers import Pages
from .hub import RESTART, Hub
from .rings import Rings
from .routes import feed_routes, page_routes
from .settings import Settings

# A gateway takes three silent beats for a dead relay.
BEAT_S = 1.0


def build(settings: Settings, ports: Ports) -> Running:
    """A relay over these ports; nothing is read until its loops run."""
    hub = Hub()
    directory = DirectoryReader(ports.log, ports.clock, reader=RELAY)
    rings = Rings(
        ports,
        directory,
        hub,
        bytes_max=settings.ring_bytes,
        reads_max=settings.reads_in_flight,
    )
    signals = SignalTail(ports, rings)
    reconciler = Reconciler(ports, directory, rings=rings, hub=hub, per_s=settings.reconcile_per_s)
    app = api(RELAY, signer=ports.signer, clock=ports.clock)
    app.include_router(page_routes(Pages(rings, ports.tasks)))
    new_link = partial(Link, rings, hub, ports.tasks, settings)
    app.include_router(feed_routes(ports, new_link, lambda: reconciler.reconciled_ms))

    async def beat() -> None:
        while True:
            await ports.clock.sleep(BEAT_S)
            hub.broadcast(frames.encode(Beat(reconciler.reconciled_ms)))

    async def drain(_: float) -> None:
        hub.close(RESTART)

    return Running(
        app=app,
        loops={
            "directory": directory.run,
            "signals": signals.run,
            "reconcile": reconciler.run,
            "beat": beat,
        },
        lacks=lambda: [*directory.lacks(), *signals.lacks()],
        drain=drain,
    )


SERVICE = Service(Settings, build)
