"""Group-membership, put together."""

from random import Random

from libs.runtime.beats import Beats
from libs.runtime.directory import DirectoryReader
from libs.runtime.service import Ports, Running, Service
from libs.runtime.view import View
from libs.runtime.web import api
from libs.wire.topics import ACCESS_CHANGES

from .access import Desk
from .channels import Room
from .claims import Claims
from .consumers import Announcer, Folding
from .handles import Handles
from .journal import Journal
from .pools import Pools
from .routes.access import access_routes
from .routes.channels import channel_routes
from .routes.members import ban_routes, member_routes
from .rows import Rows
from .settings import Settings
from .store import NAME, TOPICS


def build(settings: Settings, ports: Ports) -> Running:
    """The service over these ports; nothing is connected until its loops run."""
    directory = DirectoryReader(ports.log, ports.clock, reader=NAME)
    view = View(
        NAME,
        TOPICS,
        Folding(directory),
        ports=ports,
        applied=Announcer(ports.log, ports.clock),
    )
    rows = Rows(ports.store, view)
    journal = Journal(ports.log, view)
    pools = Pools(
        ports.log, directory.fold, partitions=settings.pool_partitions, most=settings.max_pools
    )
    # Instances must pick apart, so each is seeded by an id that nobody else has.
    random = Random(ports.new_id())
    room = Room(
        settings=settings,
        clock=ports.clock,
        directory=directory,
        view=view,
        rows=rows,
        desk=Desk(directory, rows),
        journal=journal,
        handles=Handles(rows, journal),
        pools=pools,
        claims=Claims(ports.log, directory, pools, tries=settings.claim_tries, random=random),
    )
    app = api(NAME, signer=ports.signer, clock=ports.clock)
    app.include_router(channel_routes(room))
    app.include_router(member_routes(room))
    app.include_router(ban_routes(room))
    app.include_router(access_routes(room.desk))
    return Running(
        app=app,
        loops={
            "view": view.run,
            "beats": Beats(ports.log, ports.clock, view, ACCESS_CHANGES).run,
            "directory": directory.run,
            "pools": lambda: pools.run(ports.clock),
        },
        lacks=lambda: [*view.lacks(), *directory.lacks(), *pools.lacks()],
    )


SERVICE = Service(Settings, build)
