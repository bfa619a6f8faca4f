"""Kafka under the contract."""

from collections.abc import AsyncIterator

import pytest

from libs.log.contract import LogContract
from libs.log.kafka import open_kafka
from libs.log.port import Log


class TestKafka(LogContract):
    @pytest.fixture
    async def log(self, bootstrap: str) -> AsyncIterator[Log]:
        # Of several brokers, as `KAFKA_BOOTSTRAP` may name them, with three copies of each record.
        log = await open_kafka(bootstrap, single="," not in bootstrap)
        yield log
        await log.close()
