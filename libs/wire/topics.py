"""The topics, once: who writes and reads each, its key, partitions, retention and record types.

Creation, access lists and the page `docs/generated/topics.md` derive from this table.
"""

import zlib
from dataclasses import dataclass
from enum import Enum

from libs.wire import records
from libs.wire.records import Record
from libs.wire.services import CHAT, GATEWAY, GROUP_MEMBERSHIP, RELAY, SESSION

HOUR_MS = 3_600_000


class Cleanup(Enum):
    """When the log may forget a record."""

    NEVER = "never"
    AGE = "age"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class Topic:
    """A row. `key` names what the key is made of; `kept_ms` counts with `Cleanup.AGE` only.

    `sources`: changes of these topics are told in this one, so the owner of each of their
    partitions writes a `Heartbeat` here once a second.
    """

    name: str
    partitions: int
    cleanup: Cleanup
    key: str
    holds: tuple[type[Record], ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    kept_ms: int = 0
    sources: tuple["Topic", ...] = ()

    def partition_of(self, key: str) -> int:
        """The partition of a key: CRC-32, the same in every process and for ever."""
        return zlib.crc32(key.encode()) % self.partitions


DIRECTORY = Topic(
    "channel-directory",
    partitions=1,
    cleanup=Cleanup.NEVER,
    key="channel",
    holds=(records.Claim,),
    writers=(GROUP_MEMBERSHIP,),
    readers=(CHAT, RELAY, GROUP_MEMBERSHIP),
)
NAMES = Topic(
    "names",
    partitions=1,
    cleanup=Cleanup.NEVER,
    key="handle",
    holds=(records.NameClaim,),
    writers=(GROUP_MEMBERSHIP, SESSION),
    readers=(GROUP_MEMBERSHIP, SESSION),
)
CHANNELS = Topic(
    "channels",
    partitions=16,
    cleanup=Cleanup.COMPACT,
    key="channel",
    holds=(records.ChannelSettings,),
    writers=(GROUP_MEMBERSHIP,),
    readers=(GROUP_MEMBERSHIP,),
)
MEMBERS = Topic(
    "members",
    partitions=8,
    cleanup=Cleanup.COMPACT,
    key="channel user",
    holds=(records.Membership,),
    writers=(GROUP_MEMBERSHIP,),
    readers=(GROUP_MEMBERSHIP,),
)
GOVERNANCE = Topic(
    "governance",
    partitions=16,
    cleanup=Cleanup.NEVER,
    key="channel",
    holds=(records.RoleGiven, records.Ban),
    writers=(GROUP_MEMBERSHIP,),
    readers=(GROUP_MEMBERSHIP,),
)
ACCESS_CHANGES = Topic(
    "access-changes",
    partitions=16,
    cleanup=Cleanup.AGE,
    kept_ms=HOUR_MS,
    key="channel",
    holds=(records.AccessChanged, records.Heartbeat),
    writers=(GROUP_MEMBERSHIP,),
    readers=(GATEWAY, CHAT),
    sources=(GOVERNANCE, MEMBERS, CHANNELS),
)
SIGNALS = Topic(
    "signals",
    partitions=16,
    cleanup=Cleanup.AGE,
    kept_ms=HOUR_MS,
    key="channel",
    holds=(records.Signal,),
    writers=(CHAT,),
    readers=(RELAY,),
)
ACCOUNTS = Topic(
    "accounts",
    partitions=16,
    cleanup=Cleanup.COMPACT,
    key="user",
    holds=(records.Account,),
    writers=(SESSION,),
    readers=(SESSION,),
)
SESSIONS = Topic(
    "sessions",
    partitions=16,
    cleanup=Cleanup.COMPACT,
    key="session",
    holds=(records.SessionState,),
    writers=(SESSION,),
    readers=(SESSION,),
)
REVOCATIONS = Topic(
    "revocations",
    partitions=4,
    cleanup=Cleanup.AGE,
    kept_ms=HOUR_MS,
    key="session",
    holds=(records.Revocation, records.Heartbeat),
    writers=(SESSION,),
    readers=(GATEWAY,),
    sources=(SESSIONS,),
)
TOPICS: tuple[Topic, ...] = (
    DIRECTORY,
    NAMES,
    CHANNELS,
    MEMBERS,
    GOVERNANCE,
    ACCESS_CHANGES,
    SIGNALS,
    ACCOUNTS,
    SESSIONS,
    REVOCATIONS,
)

# Which topics a service folds into its view in Redis. Others follow in memory.
VIEWS: dict[str, tuple[Topic, ...]] = {
    SESSION: (ACCOUNTS, SESSIONS, NAMES),
    GROUP_MEMBERSHIP: (DIRECTORY, NAMES, CHANNELS, MEMBERS, GOVERNANCE),
}

# No table of the services has this one: the Kafka adapter makes it for itself. A producer's first
# record takes up to a second, so each writes here before it is used. Nobody reads it.
WARM_UP = Topic(
    "warm-up",
    partitions=8,
    cleanup=Cleanup.AGE,
    kept_ms=HOUR_MS,
    key="none",
    holds=(),
    writers=(),
    readers=(),
)

POOL_PREFIX = "channel-log-"
POOL_PARTITIONS_MAX = 1_000
POOLS_MAX = 1_000


def pool(number: int, partitions: int) -> Topic:
    """The pool topic of that number: one partition is one channel's log, written by chat alone."""
    if not 0 <= number < POOLS_MAX or not 1 <= partitions <= POOL_PARTITIONS_MAX:
        raise ValueError(f"pool {number} of {partitions} partitions is out of bounds")
    return Topic(
        f"{POOL_PREFIX}{number:03d}",
        partitions=partitions,
        cleanup=Cleanup.NEVER,
        key="the partition is the channel",
        holds=(records.Message,),
        writers=(CHAT,),
        readers=(RELAY, CHAT, GROUP_MEMBERSHIP),
    )


def pool_number(topic: str) -> int:
    """The number in a pool topic's name. Raises `ValueError` for another topic."""
    number = topic.removeprefix(POOL_PREFIX)
    # Digits of other scripts are digits too, and would give one pool several names.
    if number == topic or len(number) != 3 or not (number.isascii() and number.isdigit()):
        raise ValueError(f"{topic} is no pool topic")
    return int(number)
