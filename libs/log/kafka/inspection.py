"""Looking at the log in Kafka: no producer, no group, no topic of our own."""

from collections.abc import Mapping, Sequence
from functools import partial

from libs.log.kafka.reads import KafkaReads
from libs.log.port import Partition
from libs.wire.topics import Topic


class KafkaInspection(KafkaReads):
    """`Inspection`. Brokers that are away show with the first question."""

    async def breaches(self, topic: Topic) -> Sequence[str]:
        """See the port. What only costs room or speed is the operator's to choose."""
        return await self._asking.do(partial(self._admin.breaches, topic))

    async def committed(
        self, group: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, int]:
        """See the port."""
        return await self._asking.do(partial(self._admin.committed, group, partitions))
