"""Settings of the gateway; each limit with its reason."""

from dataclasses import dataclass
from typing import Annotated

from libs.runtime.settings import Says


@dataclass(frozen=True)
class Settings:
    """Limits of the edge."""

    body_bytes_max: Annotated[
        int, Says(ge=1_024, description="Largest body: a post of 4,096 characters fits four times")
    ] = 65_536
    forward_s: Annotated[
        float, Says(gt=0, le=60, description="How long a service may take; over chat's own 4 s")
    ] = 6.0
    posts_waiting: Annotated[
        int, Says(ge=1, description="Posts on their way at once; more are told to come again")
    ] = 8_192
    wait_s_max: Annotated[
        int, Says(ge=1, le=55, description="Longest park: under the 60 s at which proxies cut")
    ] = 50
    poll_after_ms: Annotated[
        int, Says(ge=0, le=60_000, description="How long clients are told to wait before polling")
    ] = 0
    ring_bytes: Annotated[
        int, Says(ge=1 << 20, description="Bytes of all rings together; least used ones go first")
    ] = 256 << 20
    linger_s: Annotated[
        float, Says(ge=0, description="How long a channel without waiters stays watched")
    ] = 60.0
    access_remembered_s: Annotated[
        float, Says(gt=0, le=600, description="How long a yes counts while no change is seen")
    ] = 60.0
    access_kept_s: Annotated[
        float, Says(gt=0, le=3600, description="How long a yes counts while nobody can say more")
    ] = 600.0
    access_memory: Annotated[
        int, Says(ge=1, description="Pairs of user and channel kept; the oldest are asked again")
    ] = 200_000
    token_memory: Annotated[
        int, Says(ge=1, description="Checked tokens kept; the oldest are checked again")
    ] = 200_000
    relay_s: Annotated[
        float, Says(gt=0, le=10, description="How long a relay may take for a page or a snapshot")
    ] = 2.0
