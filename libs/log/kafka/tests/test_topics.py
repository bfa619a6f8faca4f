"""Topics as Kafka has them: made with their settings, and refused when they break the promises."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from libs.log.contract import fresh, named, take
from libs.log.kafka import KafkaLog, open_kafka
from libs.log.kafka import admin as admin_module
from libs.log.kafka.admin import LATEST, Admin
from libs.log.kafka.topics import SAFE, UNSAFE_SINGLE, breaches, settings_of
from libs.log.open import open_log
from libs.log.port import Ends, LogUnavailable, Partition, PositionGone, TopicMismatch, from_group
from libs.wire.topics import HOUR_MS, Cleanup, Topic

AGED = Topic("t", 1, Cleanup.AGE, key="", holds=(), writers=(), readers=(), kept_ms=HOUR_MS)


@pytest.fixture
async def log(bootstrap: str) -> AsyncIterator[KafkaLog]:
    log = await open_kafka(bootstrap, single=True)
    yield log
    await log.close()


def made(bootstrap: str, name: str, **config: str) -> None:
    """A topic made by somebody else."""
    new = NewTopic(name, num_partitions=1, replication_factor=1, config=config)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([new]).values():
        future.result()


@pytest.mark.parametrize("cleanup", list(Cleanup))
async def test_a_topic_has_the_settings_that_it_was_asked_for(
    log: KafkaLog, cleanup: Cleanup
) -> None:
    topic = replace(AGED, name=f"made-{uuid4().hex}", cleanup=cleanup)
    await log.create_topics([topic])
    state = await log.describe(topic.name)
    assert state.partitions == 1
    assert settings_of(topic, UNSAFE_SINGLE).items() <= state.settings.items()


async def test_a_topic_that_forgets_by_time_is_refused_by_name_of_the_setting(
    log: KafkaLog, bootstrap: str
) -> None:
    name = (await fresh(log)).name + "-other"
    made(bootstrap, name, **{"retention.ms": "604800000"})
    with pytest.raises(TopicMismatch, match=f"{name}: retention.ms is 604800000, it must be -1"):
        await log.create_topics([named(name)])


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("cleanup.policy", "compact"),
        ("retention.ms", "604800000"),
        ("retention.bytes", "1000000"),
        ("message.timestamp.type", "CreateTime"),
        ("unclean.leader.election.enable", "true"),
        ("min.insync.replicas", "1"),
        ("max.message.bytes", "1048588"),
    ],
)
def test_each_setting_that_breaks_a_promise_is_a_breach(setting: str, value: str) -> None:
    topic = named("t")
    good = settings_of(topic, SAFE)
    assert list(breaches(topic, good, SAFE)) == []
    (breach,) = breaches(topic, {**good, setting: value}, SAFE)
    assert breach.startswith(f"{setting} is {value}, it must be ")


def test_what_is_kept_for_a_time_is_kept_for_just_that() -> None:
    settings = settings_of(AGED, SAFE)
    assert settings["retention.ms"] == str(HOUR_MS)
    assert list(breaches(AGED, {**settings, "retention.ms": "-1"}, SAFE)) == [
        "retention.ms is -1, it must be 3600000"
    ]
    tombstones = {**settings_of(named("t", cleanup=Cleanup.COMPACT), SAFE)}
    tombstones["delete.retention.ms"] = "0"
    (breach,) = breaches(named("t", cleanup=Cleanup.COMPACT), tombstones, SAFE)
    assert breach == "delete.retention.ms is 0, it must be at least 86400000"


async def test_one_broker_is_refused_unless_it_is_asked_for(bootstrap: str) -> None:
    with pytest.raises((LogUnavailable, TopicMismatch), match=r"3|replication factor is 1"):
        await open_kafka(bootstrap)
    log = await open_log(f"kafka://{bootstrap}?unsafe_single=1", now_ms=lambda: 0)
    await log.close()


async def test_nobody_at_the_address_is_unavailable_within_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admin_module, "REQUEST_S", 1.0)
    with pytest.raises(LogUnavailable):
        async with asyncio.timeout(5):
            await open_log("kafka://127.0.0.1:9?unsafe_single=1", now_ms=lambda: 0)


async def test_a_tail_that_is_overtaken_by_a_trim_is_told_the_first_that_is_left(
    log: KafkaLog,
) -> None:
    # More than the driver fetches ahead, so that the trim reaches what is not fetched yet.
    partition = Partition((await fresh(log)).name, 0)
    for _ in range(60):
        await log.append(partition, bytes(1 << 20))
    async with log.tail({partition: 0}) as tail:
        assert (await take(tail, 1))[0].offset == 0
        await log.trim(partition, 59)
        with pytest.raises(PositionGone) as gone:
            await take(tail, 60)
        assert gone.value.first == 59


async def test_a_group_that_is_overtaken_asks_for_its_start_again(log: KafkaLog) -> None:
    topic = await fresh(log)
    partition = Partition(topic.name, 0)
    for _ in range(60):
        await log.append(partition, bytes(1 << 20))
    async with log.group(f"g-{topic.name}", [topic], from_group) as member:
        await take(member, 1)
        await member.commit(partition, 1)
        await log.trim(partition, 59)
        with pytest.raises(PositionGone) as gone:
            await take(member, 60)
        await member.commit(partition, gone.value.first)
        assert (await take(member, 1))[-1].offset == 59


@pytest.mark.parametrize(
    "url", ["kafka://", "kafka://host", "kafka://h:1,", "kafka://h:1/x", "kafka://h:1?single=1"]
)
async def test_a_url_of_another_form_names_the_form(url: str) -> None:
    with pytest.raises(ValueError, match="or kafka://host:port"):
        await open_log(url, now_ms=lambda: 0)


class Fenced:
    """A client that asks an old leader, again and again."""

    def list_topics(self, topic: str, timeout: float) -> None:
        """It learns nothing."""

    def list_offsets(self, asked: Any, **_: Any) -> dict[Any, "Future[Any]"]:
        return {each: self._refused() for each in asked}

    @staticmethod
    def _refused() -> "Future[Any]":
        refused: Future[Any] = Future()
        refused.set_exception(KafkaException(KafkaError(KafkaError.FENCED_LEADER_EPOCH)))
        return refused


async def test_a_client_that_learns_nothing_of_leaders_is_replaced(
    log: KafkaLog, bootstrap: str
) -> None:
    partition = Partition((await fresh(log)).name, 0)
    admin = Admin(bootstrap, UNSAFE_SINGLE)
    fenced: Any = Fenced()
    admin._client = fenced
    with pytest.raises(LogUnavailable, match="leaders of 1 partitions do not answer"):
        await asyncio.to_thread(admin._offsets, [partition], LATEST, within_s=0.3)
    assert await asyncio.to_thread(admin.ends, [partition]) == {partition: Ends(0, 0)}
