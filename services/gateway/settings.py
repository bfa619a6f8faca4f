"""Settings of the gateway; each limit with its reason."""

from dataclasses import dataclass
from typing import Annotated

from libs.runtime.settings import Says

from .wake import SPREAD_MS


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
    wake_spread_ms: Annotated[
        int,
        Says(ge=0, le=1_000, description="Rooms of over 1,000 are woken over so long; 0: at once"),
    ] = SPREAD_MS
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
    pages_per_s: Annotated[
        float,
        Says(gt=0, le=1e6, description="Pages a second of a client and channel, as one reads"),
    ] = 1.0
    pages_burst: Annotated[
        int, Says(ge=1, description="Pages at once: 2,000 entries, a day that was missed")
    ] = 20
    polls_per_s: Annotated[
        float, Says(gt=0, le=1e6, description="Poll answers a second of a client and channel")
    ] = 5.0
    polls_large_per_s: Annotated[
        float, Says(gt=0, le=1e6, description="The same where over 1,000 wait: what comes adds up")
    ] = 1.0
    polls_burst: Annotated[
        int, Says(ge=1, description="Poll answers at once: a client that starts catches up")
    ] = 5
    posts_per_s: Annotated[
        float,
        Says(gt=0, le=1e6, description="Posts a second of a person, in all channels: a bot's"),
    ] = 30.0
    posts_burst: Annotated[
        int, Says(ge=1, description="Posts at once of a person: two seconds of the rate")
    ] = 60
    posts_member_per_s: Annotated[
        float,
        Says(gt=0, le=1e6, description="Posts a second to a channel of who is no owner or admin"),
    ] = 1.0
    posts_member_burst: Annotated[
        int, Says(ge=1, description="Posts at once of such a person: a thought in five lines")
    ] = 5
    watches_max: Annotated[
        int, Says(ge=1, description="Channels that a connection watches: more than one can read")
    ] = 1_000
    connections_user_max: Annotated[
        int, Says(ge=1, description="Open connections of a user: some devices with some windows")
    ] = 20
    connections_address_max: Annotated[
        int,
        Says(ge=0, description="Open connections of an address (a large NAT's); 0: behind a proxy"),
    ] = 1_000
    connects_per_s: Annotated[
        float,
        Says(
            gt=0, le=1e6, description="Connects a second: a quarter of a core, the rest serves on"
        ),
    ] = 2_000.0
    connects_burst: Annotated[
        int,
        Says(ge=1, description="Connects at once: a second's, as Retry-After has whole seconds"),
    ] = 2_000
    limits_memory: Annotated[
        int,
        Says(ge=1, description="Clients and channels counted, a limit; the oldest are forgotten"),
    ] = 200_000
