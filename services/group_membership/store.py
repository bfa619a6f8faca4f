"""The view in Redis: its keys, and the writes of a fold.

<service>:channel:<channel>   hash   claim, settings (records as they are in the log),
                                     role:<user>, ban:<user>
<service>:members:<channel>   sorted set of users by the time they joined
<service>:channels:<user>     sorted set of channels by the time the user joined
<service>:owned:<user>        set of the channels that the user created
<service>:handles             hash   handle -> the name claim that won
"""

from typing import cast

from libs.log.port import Partition
from libs.store import Pipeline
from libs.wire.records import (
    Ban,
    ChannelSettings,
    Claim,
    Membership,
    NameClaim,
    RoleGiven,
)
from libs.wire.topics import CHANNELS, VIEWS, Topic

(NAME,) = CHANNELS.writers
TOPICS = VIEWS[NAME]
HANDLES = f"{NAME}:handles"


def channel_key(channel: str) -> str:
    """The row of a channel."""
    return f"{NAME}:channel:{channel}"


def members_key(channel: str) -> str:
    """Who is in a channel."""
    return f"{NAME}:members:{channel}"


def channels_key(user: str) -> str:
    """What a user is in."""
    return f"{NAME}:channels:{user}"


def owned_key(user: str) -> str:
    """What a user created."""
    return f"{NAME}:owned:{user}"


def partition_of(topic: Topic, key: str) -> Partition:
    """Where records of that key are."""
    return Partition(topic.name, topic.partition_of(key))


def partitions_of(*topics: Topic) -> list[Partition]:
    """All of them."""
    return [Partition(topic.name, index) for topic in topics for index in range(topic.partitions)]


def member_id(channel: str, user: str) -> str:
    """The key of a membership in the log."""
    return f"{channel} {user}"


def put_claim(pipe: Pipeline, claim: Claim, raw: bytes, at_ms: int) -> None:
    """A channel begins; its claim names its first members."""
    pipe.hset(channel_key(claim.channel), "claim", raw)
    pipe.sadd(owned_key(claim.owner), claim.channel)
    for user in {claim.owner, claim.peer} - {None}:
        _put_member(pipe, claim.channel, cast(str, user), at_ms)


def put_settings(pipe: Pipeline, settings: ChannelSettings, raw: bytes) -> None:
    """The last ones count."""
    pipe.hset(channel_key(settings.channel), "settings", raw)


def put_membership(pipe: Pipeline, record: Membership) -> None:
    """The last one of a pair counts."""
    if record.joined:
        _put_member(pipe, record.channel, record.user, record.at_ms)
    else:
        pipe.zrem(members_key(record.channel), record.user)
        pipe.zrem(channels_key(record.user), record.channel)


def put_role(pipe: Pipeline, record: RoleGiven) -> None:
    """The last one of a pair counts; `member` is what everybody is without."""
    if record.role == "member":
        pipe.hdel(channel_key(record.channel), f"role:{record.user}")
    else:
        pipe.hset(channel_key(record.channel), f"role:{record.user}", record.role)


def put_ban(pipe: Pipeline, record: Ban) -> None:
    """A ban holds until it is lifted."""
    if record.banned:
        pipe.hset(channel_key(record.channel), f"ban:{record.user}", b"1")
    else:
        pipe.hdel(channel_key(record.channel), f"ban:{record.user}")


def put_name(pipe: Pipeline, record: NameClaim, raw: bytes) -> None:
    """The first one wins."""
    pipe.hsetnx(HANDLES, record.handle, raw)


def _put_member(pipe: Pipeline, channel: str, user: str, at_ms: int) -> None:
    pipe.zadd(members_key(channel), {user: at_ms})
    pipe.zadd(channels_key(user), {channel: at_ms})
