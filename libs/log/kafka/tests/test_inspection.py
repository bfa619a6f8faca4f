"""Looking at Kafka: what a topic breaks is named, and nothing is left behind by who looks."""

from collections.abc import AsyncIterator

import pytest
from confluent_kafka.admin import AdminClient

from libs.log.contract import fresh, named
from libs.log.kafka import KafkaInspection, open_kafka
from libs.log.kafka import admin as admin_module
from libs.log.kafka.tests.test_topics import made
from libs.log.kafka.topics import SAFE, misplaced
from libs.log.open import open_inspection
from libs.log.port import Inspection, Log, LogUnavailable, Partition
from libs.log.tests.inspecting import InspectionContract
from libs.wire.topics import WARM_UP, Cleanup


class TestKafka(InspectionContract):
    @pytest.fixture
    async def log(self, bootstrap: str) -> AsyncIterator[Log]:
        log = await open_kafka(bootstrap, single=True)
        yield log
        await log.close()

    @pytest.fixture
    async def seen(self, bootstrap: str) -> AsyncIterator[Inspection]:
        seen = await open_inspection(f"kafka://{bootstrap}?unsafe_single=1")
        yield seen
        await seen.close()

    async def test_each_setting_that_breaks_a_promise_is_named(
        self, log: Log, seen: Inspection, bootstrap: str
    ) -> None:
        name = (await fresh(log)).name + "-other"
        made(
            bootstrap, name, **{"retention.ms": "604800000", "message.timestamp.type": "CreateTime"}
        )
        breaches = await seen.breaches(named(name))
        assert "retention.ms is 604800000, it must be -1" in breaches
        assert "message.timestamp.type is CreateTime, it must be LogAppendTime" in breaches

    async def test_one_copy_is_a_breach_unless_it_was_asked_for(
        self, log: Log, bootstrap: str
    ) -> None:
        topic = await fresh(log, 1, Cleanup.COMPACT)
        safe = await open_inspection(f"kafka://{bootstrap}")
        breaches = await safe.breaches(topic)
        assert "the replication factor is 1, it must be at least 3" in breaches
        assert any("fewer than 2 copies in step" in breach for breach in breaches)
        await safe.close()


async def test_who_only_looks_leaves_no_topic(bootstrap: str) -> None:
    before = _topics(bootstrap)
    seen = KafkaInspection(bootstrap, single=True)
    assert await seen.committed("nobody", [Partition(WARM_UP.name, 0)]) == {}
    await seen.close()
    assert _topics(bootstrap) == before


async def test_brokers_that_are_away_show_with_the_first_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admin_module, "REQUEST_S", 1.0)
    seen = await open_inspection("kafka://127.0.0.1:9")
    with pytest.raises(LogUnavailable):
        await seen.describe("any")
    await seen.close()


def test_partitions_and_copies_are_said_to_be_other_than_asked_for() -> None:
    said = list(misplaced(named("t", 3), partitions=2, replicas=1, safety=SAFE))
    assert said == [
        "it has 2 partitions, not 3",
        "the replication factor is 1, it must be at least 3",
    ]


def _topics(bootstrap: str) -> set[str]:
    return set(AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics)
