"""What a gateway has of those who are connected, to be compared before and after."""

import asyncio
import os
from pathlib import Path
from typing import Any, NamedTuple

from services.gateway.tests.edge import Edge


class Left(NamedTuple):
    """Counts; `tasks` are names."""

    parked: int
    seats: int
    streams: int
    sessions: int
    tasks: list[str]
    descriptors: int


def left_by(it: Edge) -> Left:
    """What there is now."""
    http: Any = it.running.http
    lot = http.lane.lot
    seats = lot.limits._seats
    names = (task.get_name() for task in asyncio.all_tasks())
    return Left(
        parked=lot.hub.parked,
        seats=seats.addresses.total() + seats.users.total(),
        streams=len(list(http.desk.registry)),
        sessions=len(lot.sessions._listening),
        tasks=sorted(name for name in names if name.startswith("gateway.")),
        descriptors=len(os.listdir("/proc/self/fd")),
    )


def rss_bytes() -> int:
    """What the process has in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
