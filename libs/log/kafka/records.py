"""The driver's messages as the port's records."""

from confluent_kafka import Message

from libs.log.port import Partition, Stored


def partition_of(message: "Message[bytes, bytes]") -> Partition:
    """Where it was read."""
    topic, index = message.topic(), message.partition()
    assert topic is not None
    assert index is not None
    return Partition(topic, index)


def stored(message: "Message[bytes, bytes]", partition: Partition) -> Stored:
    """A message without error."""
    offset = message.offset()
    assert offset is not None
    _kind, at_ms = message.timestamp()
    return Stored(partition, offset, at_ms, message.key() or b"", message.value() or b"")
