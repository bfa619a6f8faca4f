"""Chat, put together."""

from libs.runtime.directory import DirectoryReader
from libs.runtime.service import Ports, Running, Service
from libs.runtime.web import api
from libs.wire.services import CHAT
from libs.wire.topics import ACCESS_CHANGES

from .access import AccessMemory
from .handlers import Posts
from .routes import post_routes
from .settings import Settings
from .signals import Signals


def build(settings: Settings, ports: Ports) -> Running:
    """Chat over these ports; nothing is read until its loops run."""
    directory = DirectoryReader(ports.log, ports.clock, reader=CHAT)
    signals = Signals(
        ports.log, waiting=settings.signals_waiting, in_flight=settings.signals_in_flight
    )
    access = AccessMemory(ports, settings)
    posts = Posts(ports, settings, access=access, directory=directory, signals=signals)
    app = api(CHAT, signer=ports.signer, clock=ports.clock)
    app.include_router(post_routes(posts))
    return Running(
        app=app,
        loops={
            "directory": directory.run,
            "signals": signals.run,
            ACCESS_CHANGES.name: access.changes.run,
        },
        lacks=directory.lacks,
    )


SERVICE = Service(Settings, build)
