"""A member of a consumer group.

Rebalances are served by the thread while a question is under way, so a partition is taken from a
member only when it asks for its next batch. What the group gives waits in `Puller.given` until its
start is decided in the loop; a start that is gone waits there too, and is asked for again.
"""

import asyncio
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from libs.log.kafka.desk import Desk
from libs.log.kafka.errors import error_of, of_ask, told
from libs.log.kafka.puller import Puller
from libs.log.kafka.tail import EndsOf, KafkaTail
from libs.log.port import LogUnavailable, NotWritten, Partition, Positions

# A member commits after each batch of each partition; more than this is a broker that is away.
COMMITS_WAITING_MAX = 1_000
# A coordinator that moves answers again within a few seconds.
COORDINATOR_S = 8.0

NOT_OURS = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._ASSIGNMENT_LOST,
    }
)


class KafkaGroup(KafkaTail):
    """`Group`. What must not wait behind a question has a thread of its own."""

    def __init__(
        self,
        puller: Puller,
        ends_of: EndsOf,
        *,
        topics: Sequence[str],
        positions: Positions,
    ) -> None:
        super().__init__(puller, ends_of, {})
        self._topics = topics
        self._positions = positions
        self._desk = Desk("kafka-commits", threads=1, waiting_max=COMMITS_WAITING_MAX)
        self._has_joined = False

    def assigned(self) -> frozenset[Partition]:
        """See the port."""
        return frozenset(self._puller.positions)

    async def commit(self, partition: Partition, position: int) -> None:
        """See the port."""
        if partition not in self._puller.owned:
            raise NotWritten(f"{partition} is not this member's")
        await self._desk.do(lambda: self._commit(partition, position))

    async def close(self) -> None:
        """See `KafkaTail`."""
        await asyncio.gather(super().close(), self._desk.close())

    def _commit(self, partition: Partition, position: int) -> None:
        asked = [TopicPartition(*partition, position)]
        try:
            (answer,) = self._puller.driver.commit(offsets=asked, asynchronous=False)
        except KafkaException as raised:
            _raise_commit(error_of(raised))
        except RuntimeError as error:  # the driver's, of a consumer that was closed meanwhile
            raise LogUnavailable("the log is closed") from error
        else:
            if answer.error is not None:
                _raise_commit(answer.error)

    async def _settle(self) -> None:
        if not self._has_joined:
            await self._do(lambda: self._puller.join(self._topics))
            self._has_joined = True
        given = sorted(self._puller.given)
        if not given:
            return
        asked = await self._positions(given)
        kept = await self._committed([each for each in given if each not in asked])
        starts, gone = await self._decided({**kept, **{p: asked[p] for p in given if p in asked}})
        await self._do(lambda: self._puller.start(starts))
        if gone:
            raise gone[0]

    async def _committed(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """The group's positions; where it has none, the first kept."""
        if not partitions:
            return {}
        asked = [TopicPartition(*each) for each in partitions]
        found = await self._desk.do(lambda: self._ask_committed(asked))
        for each in found:
            if each.error is not None:
                raise of_ask(each.error)
        positions = {Partition(each.topic, each.partition): each.offset for each in found}
        ends = await self._ends_of([each for each, at in positions.items() if at < 0])
        return {each: ends[each].first if at < 0 else at for each, at in positions.items()}

    def _ask_committed(self, asked: list[TopicPartition]) -> list[TopicPartition]:
        try:
            return self._puller.driver.committed(asked, COORDINATOR_S)
        except RuntimeError as error:
            raise LogUnavailable("the log is closed") from error

    def _refuse(self, refused: Mapping[Partition, int]) -> None:
        self._puller.given |= refused.keys()


def _raise_commit(error: KafkaError) -> None:
    if error.code() in NOT_OURS:
        raise NotWritten(told(error))
    raise of_ask(error)
