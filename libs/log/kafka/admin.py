"""Questions about topics and changes to them. Every method blocks: it is for a desk's thread."""

import time
from collections.abc import Iterable, Iterator, Sequence, Set
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)

# The driver does not say that it hands these on, but it documents them here.
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
    TopicDescription,
)

from libs.log.kafka import settings
from libs.log.kafka.errors import UNKNOWN_TOPIC, error_of, told
from libs.log.kafka.topics import Safety, breaches, misplaced, settings_of
from libs.log.port import (
    Ends,
    LogUnavailable,
    Partition,
    TopicMismatch,
    TopicState,
    UnknownTopic,
)
from libs.wire.topics import Topic

T = TypeVar("T")

# A broker answers within milliseconds, a cluster that elects within 4 s.
REQUEST_S = 8.0
# A question for offsets goes to the leader as it is known here. One that died or stands still is
# not waited for longer than this before the new leader is asked for; each further try may take
# twice as long, for it may be a broker that is only slow.
TRY_S = 1.5
# 1,000 partitions are led 1.4 s after their creation.
LED_S = 30.0
# All that creating does: look, create, wait, look at the settings.
CREATE_S = 2 * LED_S + 4 * REQUEST_S
AGAIN_S = 0.05
# The offset of a time after the last record.
NO_SUCH_TIME = -1
# Kafka makes at most 10,000 partitions per request.
CREATED_PARTITIONS_MAX = 8_000
# Around a creation, an election or the death of a leader; the next try finds the new one.
ELECTING = frozenset(
    {
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError._NOENT,
    }
)


EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Admin:
    """One admin client. Raises `KafkaException` besides what is said."""

    def __init__(self, bootstrap: str, safety: Safety) -> None:
        self._bootstrap = bootstrap
        self._client = self._made()
        self._safety = safety

    def partitions(self, topic: str) -> int:
        """How many the topic has. Raises `UnknownTopic`."""
        found = self._client.list_topics(topic, timeout=REQUEST_S).topics[topic]
        if found.error is not None:
            if found.error.code() in UNKNOWN_TOPIC:
                raise UnknownTopic(topic)
            raise KafkaException(found.error)
        return len(found.partitions)

    def create(self, topics: Sequence[Topic]) -> None:
        """Create what is missing, check what is there, and return when every partition is led.
        Raises `TopicMismatch`."""
        found = self._descriptions(topic.name for topic in topics)
        missing = [topic for topic in topics if found[topic.name] is None]
        for some in _in_requests(missing):
            made = self._client.create_topics(
                [self._new(topic) for topic in some],
                operation_timeout=REQUEST_S,
                request_timeout=REQUEST_S,
            )
            for name, future in made.items():
                self._created(name, future)
        self._wait_until_led(topics)
        # Led in the controller's eyes; a leader that has a thousand to make takes seconds more.
        new = [Partition(topic.name, at) for topic in missing for at in range(topic.partitions)]
        self._offsets(new, LATEST, within_s=LED_S, not_yet=ELECTING | UNKNOWN_TOPIC)
        self._check(topics)

    def describe(self, topic: str) -> TopicState:
        """Raises `UnknownTopic`."""
        try:
            (found,) = self._settings([topic]).values()
        except KafkaException as raised:
            if error_of(raised).code() in UNKNOWN_TOPIC:
                raise UnknownTopic(topic) from raised
            raise
        return TopicState(self.partitions(topic), found)

    def breaches(self, topic: Topic) -> list[str]:
        """See `Inspection`. Raises `UnknownTopic`."""
        found = self._descriptions([topic.name])[topic.name]
        if found is None:
            raise UnknownTopic(f"there is no topic {topic.name}")
        (known,) = self._settings([topic.name]).values()
        return [
            *_misplaced(topic, found, self._safety),
            *breaches(topic, known, self._safety),
            *_unserved(found, self._safety),
        ]

    def committed(self, group: str, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """See `Inspection`."""
        asked = [TopicPartition(*each) for each in partitions]
        question = ConsumerGroupTopicPartitions(group, asked)
        answers = self._client.list_consumer_group_offsets([question], request_timeout=REQUEST_S)
        (answer,) = [_result(future) for future in answers.values()]
        return {
            Partition(each.topic, each.partition): each.offset
            for each in answer.topic_partitions
            if each.offset >= 0
        }

    def ends(self, partitions: Sequence[Partition]) -> dict[Partition, Ends]:
        """Raises `UnknownTopic`."""
        found = self._offsets(partitions, EARLIEST, LATEST)
        return {each: Ends(*found[each]) for each in partitions}

    def offsets_at(self, partitions: Sequence[Partition], at_ms: int) -> dict[Partition, int]:
        """Raises `UnknownTopic`."""
        # The ends first: what comes between the two questions is then found by its time.
        last = self._offsets(partitions, LATEST)
        found = self._offsets(partitions, OffsetSpec.for_timestamp(at_ms))
        return {
            each: last[each][0] if found[each][0] < 0 else found[each][0] for each in partitions
        }

    def trim(self, partition: Partition, first: int) -> None:
        """Raises `UnknownTopic`."""
        asked = [TopicPartition(partition.topic, partition.index, first)]
        for future in self._client.delete_records(asked, request_timeout=REQUEST_S).values():
            _answer(future)

    def _new(self, topic: Topic) -> NewTopic:
        return NewTopic(
            topic.name,
            num_partitions=topic.partitions,
            replication_factor=self._safety.replicas,
            config=settings_of(topic, self._safety),
        )

    def _created(self, name: str, future: "Future[Any]") -> None:
        try:
            _answer(future)
        except KafkaException as raised:
            error = error_of(raised)
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return
            what = f"{name} could not be created: {told(error)}"
            if error.code() == KafkaError.INVALID_REPLICATION_FACTOR:
                what += (
                    f" ({self._safety.replicas} brokers are needed, or unsafe_single=1 in the URL)"
                )
            raise LogUnavailable(what) from raised

    def _wait_until_led(self, topics: Sequence[Topic]) -> None:
        deadline = time.monotonic() + LED_S
        waiting = {topic.name: topic for topic in topics}
        while waiting:
            for name, found in self._descriptions(waiting).items():
                if found is not None and self._is_led(waiting[name], found):
                    del waiting[name]
            if waiting and time.monotonic() > deadline:
                raise LogUnavailable(f"not every partition of {', '.join(waiting)} has a leader")
            if waiting:
                time.sleep(AGAIN_S)

    def _descriptions(self, names: Iterable[str]) -> dict[str, TopicDescription | None]:
        """None for a topic that does not exist, or of which this broker has not heard yet."""
        asked = TopicCollection(list(names))
        found: dict[str, TopicDescription | None] = {}
        for name, future in self._client.describe_topics(asked, request_timeout=REQUEST_S).items():
            try:
                found[name] = _answer(future)
            except UnknownTopic:
                found[name] = None
        return found

    def _is_led(self, topic: Topic, found: TopicDescription) -> bool:
        for breach in _misplaced(topic, found, self._safety):
            raise TopicMismatch(f"{topic.name}: {breach}")
        in_sync = self._safety.in_sync_min
        return all(_has_leader(each) and len(each.isr) >= in_sync for each in found.partitions)

    def _check(self, topics: Sequence[Topic]) -> None:
        found = self._settings_of_new([topic.name for topic in topics])
        for topic in topics:
            for breach in breaches(topic, found[topic.name], self._safety):
                raise TopicMismatch(f"{topic.name}: {breach}")

    def _settings_of_new(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """The broker that is asked may be the last to hear of a topic."""
        deadline = time.monotonic() + REQUEST_S
        while True:
            try:
                return self._settings(names)
            except KafkaException as raised:
                unknown = error_of(raised).code() in UNKNOWN_TOPIC
                if not unknown or time.monotonic() > deadline:
                    raise
            time.sleep(AGAIN_S)

    def _settings(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        answers = self._client.describe_configs(asked, request_timeout=REQUEST_S)
        return {
            resource.name: {name: str(entry.value) for name, entry in _result(future).items()}
            for resource, future in answers.items()
        }

    def _offsets(
        self,
        partitions: Sequence[Partition],
        *specs: OffsetSpec,
        within_s: float = REQUEST_S,
        not_yet: Set[int] = ELECTING,
    ) -> dict[Partition, tuple[int, ...]]:
        """Of each partition one offset per spec, asked for at once."""
        deadline = time.monotonic() + within_s
        client = self._client
        found: dict[Partition, tuple[int, ...]] = {}
        waiting, try_s = list(partitions), TRY_S
        while waiting:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                self._replace(client)
                raise LogUnavailable(f"the leaders of {len(waiting)} partitions do not answer")
            found.update(self._offsets_once(waiting, specs, min(try_s, left_s), not_yet))
            waiting = [each for each in waiting if each not in found]
            if waiting:
                try_s *= 2
                time.sleep(AGAIN_S)
                self._look_at({each.topic for each in waiting})
        return found

    def _made(self) -> AdminClient:
        client: Any = settings.admin(self._bootstrap)
        logger = client.pop("logger")
        return AdminClient(client, logger=logger)

    def _replace(self, failed: AdminClient) -> None:
        """Ask by a new client from now on. What one knows of leaders was seen to stay wrong for two
        minutes after the death of a broker, which was long back, and of that process alone."""
        # Another thread may have done so meanwhile.
        if self._client is failed:
            settings.LOGGER.warning("no leader answers for too long; a new client asks from now on")
            self._client = self._made()

    def _look_at(self, topics: Iterable[str]) -> None:
        """Have the driver learn who leads: what it knew of an old leader is refused for ever."""
        for topic in topics:
            # Whom it asks may be the broker that is away; the next one is not.
            with suppress(KafkaException):
                self._client.list_topics(topic, timeout=TRY_S)

    def _offsets_once(
        self,
        partitions: Sequence[Partition],
        specs: Sequence[OffsetSpec],
        try_s: float,
        not_yet: Set[int],
    ) -> Iterator[tuple[Partition, tuple[int, ...]]]:
        """Of those that are led."""
        asked = [
            self._client.list_offsets(
                {TopicPartition(each.topic, each.index): spec for each in partitions},
                isolation_level=IsolationLevel.READ_UNCOMMITTED,
                request_timeout=try_s,
            )
            for spec in specs
        ]
        answers = [
            {Partition(each.topic, each.partition): future for each, future in some.items()}
            for some in asked
        ]
        for each in partitions:
            found = [
                _offset(some[each], spec, not_yet)
                for some, spec in zip(answers, specs, strict=True)
            ]
            if None not in found:
                yield each, tuple(offset for offset in found if offset is not None)


def _offset(future: "Future[Any]", spec: OffsetSpec, not_yet: Set[int]) -> int | None:
    """None while nobody knows."""
    try:
        offset = int(_result(future).offset)
    except KafkaException as raised:
        if error_of(raised).code() not in not_yet:
            raise
        return None
    # A broker that stands still was seen to be answered for with an offset that is none.
    is_told = offset >= 0 or (offset == NO_SUCH_TIME and spec not in (EARLIEST, LATEST))
    return offset if is_told else None


def _misplaced(topic: Topic, found: TopicDescription, safety: Safety) -> Iterator[str]:
    least = min(len(each.replicas) for each in found.partitions)
    return misplaced(topic, partitions=len(found.partitions), replicas=least, safety=safety)


def _unserved(found: TopicDescription, safety: Safety) -> Iterator[str]:
    without = [each.id for each in found.partitions if not _has_leader(each)]
    few = [each.id for each in found.partitions if len(each.isr) < safety.in_sync_min]
    if without:
        yield f"{len(without)} of its partitions have no leader (the first is {without[0]})"
    if few:
        yield (
            f"{len(few)} of its partitions have fewer than {safety.in_sync_min} copies in step"
            f" (the first is {few[0]}), so nothing can be written there"
        )


def _has_leader(partition: Any) -> bool:
    """The driver gives a node that is none (-1) or nothing at all while there is no leader."""
    leader = partition.leader
    return leader is not None and leader.id >= 0


def _result(future: "Future[T]") -> T:
    # Threads that ask are few: the driver's own deadline is not trusted to free them.
    try:
        return future.result(REQUEST_S + 1)
    except TimeoutError as late:
        raise LogUnavailable(f"no answer within {REQUEST_S + 1:.0f} s") from late


def _answer(future: "Future[T]") -> T:
    try:
        return _result(future)
    except KafkaException as raised:
        error = error_of(raised)
        if error.code() in UNKNOWN_TOPIC:
            raise UnknownTopic(told(error)) from raised
        raise


def _in_requests(topics: Iterable[Topic]) -> Iterator[list[Topic]]:
    some: list[Topic] = []
    for topic in topics:
        if some and sum(each.partitions for each in (*some, topic)) > CREATED_PARTITIONS_MAX:
            yield some
            some = []
        some.append(topic)
    if some:
        yield some
