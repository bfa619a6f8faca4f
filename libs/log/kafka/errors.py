"""The driver's errors in the words of the port."""

from confluent_kafka import KafkaError, KafkaException

from libs.log.port import (
    LogError,
    LogUnavailable,
    NotWritten,
    OutcomeUnknown,
    UnknownTopic,
)

UNKNOWN_TOPIC = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.TOPIC_EXCEPTION,
    }
)
# Refused by the broker before it wrote, or never sent. All else may have been written: a time that
# ran out and a connection that broke say nothing about what the broker did.
CERTAINLY_NOT = frozenset(
    {
        KafkaError._QUEUE_FULL,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)

# A consumer goes on by itself after these, and says so on the way. It is given only topics that
# exist: to one that is unknown the news of it has not come yet.
PASSING = UNKNOWN_TOPIC | frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._MAX_POLL_EXCEEDED,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        # The group's coordinator moves with its broker. To leave the group for that and join again
        # would make all members of it stop twice.
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
    }
)


def told(error: KafkaError) -> str:
    """The error for people, with the name by which the driver's manual knows it."""
    return f"{error.name()}: {error.str()}"


def error_of(raised: KafkaException) -> KafkaError:
    """What an exception of the driver is about."""
    error = raised.args[0]
    assert isinstance(error, KafkaError)
    return error


def of_append(error: KafkaError) -> LogError:
    """Why a delivery report has no offset."""
    if error.code() in UNKNOWN_TOPIC:
        return UnknownTopic(told(error))
    if error.code() in CERTAINLY_NOT:
        return NotWritten(told(error))
    return OutcomeUnknown(told(error))


def of_ask(error: KafkaError) -> LogError:
    """Why a question has no answer."""
    if error.code() in UNKNOWN_TOPIC:
        return UnknownTopic(told(error))
    return LogUnavailable(told(error))
