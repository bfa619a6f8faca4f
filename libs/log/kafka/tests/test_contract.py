"""Kafka under the contract."""

from collections.abc import AsyncIterator

import pytest

from libs.log.contract import LogContract
from libs.log.kafka import open_kafka
from libs.log.port import Log


class TestKafka(LogContract):
    @pytest.fixture
    async def log(self, bootstrap: str) -> AsyncIterator[Log]:
        log = await open_kafka(bootstrap, single=True)
        yield log
        await log.close()
