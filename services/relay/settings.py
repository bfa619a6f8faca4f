"""Settings of relay; each limit with its reason."""

from dataclasses import dataclass
from typing import Annotated

from libs.runtime.settings import Says


@dataclass(frozen=True)
class Settings:
    """Bounds of memory, links and reading."""

    ring_bytes: Annotated[
        int, Says(ge=1 << 16, description="Bytes of all rings; least used go first, watched never")
    ] = 256 << 20
    reconcile_per_s: Annotated[
        int, Says(ge=4, description="Partitions compared with the log a second; each costs it work")
    ] = 2_000
    reads_in_flight: Annotated[
        int, Says(ge=1, le=1_000, description="Reads of the log at once; more only queue there")
    ] = 32
    watches_per_link: Annotated[
        int, Says(ge=1, description="Channels one gateway may watch; as many as a log may hold")
    ] = 200_000
    link_frames: Annotated[
        int, Says(ge=16, description="Frames that wait for one gateway; a slower one is cut off")
    ] = 10_000
    link_bytes: Annotated[
        int, Says(ge=1 << 22, description="Bytes that wait for one gateway; one snapshot fits")
    ] = 32 << 20
    watchers_per_link: Annotated[
        int, Says(ge=1, le=256, description="Watches of one link that are answered at once")
    ] = 16
