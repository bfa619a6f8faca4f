"""What the driver's clients are told, each with its reason. The numbers were measured on brokers of
Kafka 4.4 and confluent-kafka 2.16."""

import logging
from collections.abc import Mapping

from libs.log.port import RECORD_BYTES_MAX

Settings = dict[str, str | int | float | bool | logging.Logger]

LOGGER = logging.getLogger(__name__.rpartition(".")[0])

# What Kafka puts around a record and its batch (about 100 bytes) fits in here.
ENVELOPE_BYTES = 4_096
MESSAGE_BYTES_MAX = RECORD_BYTES_MAX + ENVELOPE_BYTES

# Longer than any outage that heals. A record that the driver gives up makes it begin a new epoch,
# in which it sends again, past the broker's check for doubles, what it had sent in the old one and
# not heard of: 832 posts in a row were seen twice. Callers are told much sooner (`REPORT_S`).
MESSAGE_TIMEOUT_MS = 120_000

# What may wait to be sent: some seconds of a process's full rate. Beyond it appends are refused.
QUEUE_MESSAGES_MAX = 100_000
QUEUE_KBYTES_MAX = 65_536

EVERY_CLIENT: Mapping[str, str | int] = {
    "client.id": "rostrum",
    # A connection to each broker, whether it is needed now or not. When they are made on demand, a
    # question that waits for a broker demands one again at each refusal, and each demand takes back
    # the delay below: one question to a dead broker was seen to knock 3,000 times a second.
    "enable.sparse.connections": "false",
    # The default of 10 s would keep a client away from a broker that is long back.
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 500,
    "socket.connection.setup.timeout.ms": 3_000,
    # A broker that stands still is given up after this; by default it holds up a call for 60 s.
    "socket.timeout.ms": 6_000,
    # Small writes must not wait for the acknowledgement of the one before.
    "socket.nagle.disable": "true",
    # How soon the new leader of a partition is found.
    "topic.metadata.refresh.fast.interval.ms": 50,
}

EVERY_CONSUMER: Mapping[str, str | int] = {
    # A fetch that a broker holds for longer (beyond its own wait) is given up, and the partition's
    # new leader is asked for: one that stands still must not keep a tail.
    "socket.timeout.ms": 2_000,
    # A position that is gone is an answer, never a jump to the end.
    "auto.offset.reset": "error",
    # Positions are committed by who handled the records.
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    # Nothing is written in transactions; this spares the broker to look for them.
    "isolation.level": "read_uncommitted",
    "fetch.error.backoff.ms": 100,
}

# The driver wants a group's name of every consumer; this one is never joined.
NO_GROUP = "rostrum-no-group"


def producer(bootstrap: str) -> Settings:
    """Idempotent: in order and without doubles as long as it lives."""
    return {
        **_client(bootstrap),
        "enable.idempotence": True,
        "acks": "all",
        # The driver batches what waits anyway; a linger is only delay.
        "linger.ms": 0,
        "message.timeout.ms": MESSAGE_TIMEOUT_MS,
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "queue.buffering.max.messages": QUEUE_MESSAGES_MAX,
        "queue.buffering.max.kbytes": QUEUE_KBYTES_MAX,
        "retry.backoff.ms": 50,
        "retry.backoff.max.ms": 200,
    }


def tail(bootstrap: str) -> Settings:
    """Follows its partitions: a long wait at the broker, which wakes when there is something."""
    return {
        **_client(bootstrap),
        **EVERY_CONSUMER,
        "group.id": NO_GROUP,
        "fetch.wait.max.ms": 500,
        # The default of 1 s is a pause in catching up each time the queue was full.
        "fetch.queue.backoff.ms": 10,
        "queued.max.messages.kbytes": 16_384,
    }


def member(bootstrap: str, group: str) -> Settings:
    """A tail that shares partitions with others."""
    return {
        **tail(bootstrap),
        "group.id": group,
        # Only what moves is taken; the rest goes on during a rebalance.
        "partition.assignment.strategy": "cooperative-sticky",
        # How long the partitions of a member that was killed lie idle, whether another takes them
        # or it comes again: measured 5.8 s (9.8 s at 10,000). It is the least that brokers allow by
        # default. Python may stand still for longer (10 s, measured): the driver's threads beat on.
        # A `group.instance.id` would give them back to who comes again in 0.13 s, but wants a name
        # that no two instances share, or they put each other out, and a member that leaves for good
        # would leave them idle too.
        "session.timeout.ms": 6_000,
        # How soon a member hears that another has come or gone.
        "heartbeat.interval.ms": 500,
        # A member that handles one batch for longer than this has its partitions taken.
        "max.poll.interval.ms": 300_000,
    }


def reader(bootstrap: str) -> Settings:
    """Reads anywhere at once: with the defaults each read waits for 500 to 1,000 ms."""
    return {
        **_client(bootstrap),
        **EVERY_CONSUMER,
        "group.id": NO_GROUP,
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 10,
        "fetch.queue.backoff.ms": 0,
        "queued.min.messages": 100,
        "fetch.message.max.bytes": 65_536,
    }


def admin(bootstrap: str) -> Settings:
    """Asks and changes topics."""
    return _client(bootstrap)


def _client(bootstrap: str) -> Settings:
    return {"bootstrap.servers": bootstrap, "logger": LOGGER, **EVERY_CLIENT}
