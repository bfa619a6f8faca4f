"""Settings of group-membership; each limit with its reason."""

from dataclasses import dataclass
from typing import Annotated

from libs.runtime.settings import Says
from libs.wire.topics import POOL_PARTITIONS_MAX, POOLS_MAX


@dataclass(frozen=True)
class Settings:
    """How many channels there may be, and how much one request may ask."""

    pool_partitions: Annotated[
        int,
        Says(
            ge=1,
            le=POOL_PARTITIONS_MAX,
            description="Channels of a new pool; clients of the log pay per partition",
        ),
    ] = 64
    max_pools: Annotated[
        int, Says(ge=1, le=POOLS_MAX, description="Most pools; with all full there is no room")
    ] = 64
    claim_tries: Annotated[
        int,
        Says(ge=1, le=64, description="Partitions tried for one channel while others take them"),
    ] = 8
    channels_per_user: Annotated[
        int, Says(ge=1, description="Channels one user may create; each takes a partition for ever")
    ] = 1_000
    members_per_request: Annotated[
        int, Says(ge=1, le=1_000, description="First members of a channel; each is a record")
    ] = 50
