"""A topic's settings in Kafka's words, and which of those that exist break the log's promises."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from libs.log.kafka.settings import MESSAGE_BYTES_MAX
from libs.wire.topics import HOUR_MS, Cleanup, Topic

REPLICAS = 3
IN_SYNC_MIN = 2
FOR_EVER = "-1"
# Compaction lets go of a tombstone no earlier than this, so that a reader that is a day behind
# still learns what was taken back.
TOMBSTONE_KEPT_MS = 24 * HOUR_MS
# A segment that is written to is neither compacted nor dropped, so it is closed after this time.
SEGMENT_COMPACTED_MS = 24 * HOUR_MS
# Kafka allocates the two indexes of every partition ahead, by default 10 MB each.
INDEX_BYTES = 1 << 20


class Safety(NamedTuple):
    """How many copies a record has, and how many must be written before it is acknowledged."""

    replicas: int
    in_sync_min: int


SAFE = Safety(REPLICAS, IN_SYNC_MIN)
# One broker, and what it has when its disk dies is gone: for tests and a laptop.
UNSAFE_SINGLE = Safety(1, 1)


def settings_of(topic: Topic, safety: Safety) -> dict[str, str]:
    """What the topic is made with."""
    return {
        **_exact(topic),
        "min.insync.replicas": str(safety.in_sync_min),
        "max.message.bytes": str(MESSAGE_BYTES_MAX),
        "segment.index.bytes": str(INDEX_BYTES),
        **_by_cleanup(topic),
    }


def breaches(topic: Topic, found: Mapping[str, str], safety: Safety) -> Iterator[str]:
    """Each setting of an existing topic that breaks what the log promises, with what it is and what
    it must be. What only costs room or speed is the operator's to choose."""
    for name, wanted in _exact(topic).items():
        if found.get(name) != wanted:
            yield f"{name} is {found.get(name)}, it must be {wanted}"
    for name, least in _least(topic, safety).items():
        if int(found.get(name, 0)) < least:
            yield f"{name} is {found.get(name)}, it must be at least {least}"


def misplaced(topic: Topic, *, partitions: int, replicas: int, safety: Safety) -> Iterator[str]:
    """The same of how an existing topic is laid out: its partitions, and the copies of that one
    which has the fewest. Both are for ever."""
    if partitions != topic.partitions:
        yield f"it has {partitions} partitions, not {topic.partitions}"
    if replicas < safety.replicas:
        yield f"the replication factor is {replicas}, it must be at least {safety.replicas}"


def _exact(topic: Topic) -> dict[str, str]:
    compact = topic.cleanup is Cleanup.COMPACT
    aged = topic.cleanup is Cleanup.AGE
    return {
        "cleanup.policy": "compact" if compact else "delete",
        # A broker that forgets by itself forgets what nobody has kept elsewhere yet.
        "retention.ms": str(topic.kept_ms) if aged else FOR_EVER,
        "retention.bytes": FOR_EVER,
        # Times are the log's own, and do not fall because a client's clock is behind.
        "message.timestamp.type": "LogAppendTime",
        # A replica that is behind would forget what was acknowledged, and give its offsets again.
        "unclean.leader.election.enable": "false",
    }


def _least(topic: Topic, safety: Safety) -> dict[str, int]:
    least = {"min.insync.replicas": safety.in_sync_min, "max.message.bytes": MESSAGE_BYTES_MAX}
    if topic.cleanup is Cleanup.COMPACT:
        least["delete.retention.ms"] = TOMBSTONE_KEPT_MS
    return least


def _by_cleanup(topic: Topic) -> dict[str, str]:
    if topic.cleanup is Cleanup.AGE:
        return {"segment.ms": str(topic.kept_ms)}
    if topic.cleanup is Cleanup.COMPACT:
        kept = {"delete.retention.ms": str(TOMBSTONE_KEPT_MS)}
        return {**kept, "segment.ms": str(SEGMENT_COMPACTED_MS)}
    return {}
