"""Chat, put together."""

from libs.runtime.access import AccessLane
from libs.runtime.directory import DirectoryReader
from libs.runtime.service import Ports, Running, Service
from libs.runtime.web import api
from libs.wire.services import CHAT

from .handlers import Posts
from .routes import post_routes
from .settings import Settings
from .signals import Signals
from .window import Windows


def build(settings: Settings, ports: Ports) -> Running:
    """Chat over these ports; nothing is read until its loops run."""
    directory = DirectoryReader(ports.log, ports.clock)
    signals = Signals(
        ports.log, waiting=settings.signals_waiting, in_flight=settings.signals_in_flight
    )
    windows = Windows(
        ports.log,
        ports.tasks,
        channels_max=settings.window_channels,
        keys_max=settings.window_keys,
    )
    access = AccessLane(ports, settings.access_s)
    posts = Posts(
        ports,
        settings,
        access=access,
        directory=directory,
        windows=windows,
        signals=signals,
    )
    app = api(CHAT, signer=ports.signer, clock=ports.clock)
    app.include_router(post_routes(posts))
    return Running(
        app=app,
        loops={"directory": directory.run, "signals": signals.run},
        lacks=directory.lacks,
    )


SERVICE = Service(Settings, build)
