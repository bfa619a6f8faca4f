"""Blocking calls are bounded in number and in time, and topics are asked for once."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from confluent_kafka import KafkaError, KafkaException

from libs.log.kafka import desk as desk_module
from libs.log.kafka.desk import Desk
from libs.log.kafka.known import KnownTopics
from libs.log.port import LogUnavailable, Partition, UnknownTopic


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk("test", threads=1, waiting_max=2)
    yield desk
    await desk.close()


async def test_a_call_gives_its_answer_or_its_error_in_the_ports_words(desk: Desk) -> None:
    assert await desk.do(lambda: 41) == 41
    with pytest.raises(ZeroDivisionError):
        await desk.do(lambda: 1 // 0)

    def unknown() -> None:
        raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))

    with pytest.raises(UnknownTopic):
        await desk.do(unknown)


async def test_what_is_too_much_is_refused_and_what_is_too_late_is_unavailable(desk: Desk) -> None:
    go_on = threading.Event()
    held = [desk.begin(go_on.wait) for _ in range(3)]
    with pytest.raises(LogUnavailable, match="too many calls wait for test"):
        await desk.do(lambda: 1)
    go_on.set()
    await asyncio.wait(held)
    go_on.clear()
    with pytest.raises(LogUnavailable, match="no answer within 0 s"):
        await desk.do(go_on.wait, within_s=0.01)
    go_on.set()
    assert await desk.do(lambda: 1) == 1


async def test_a_call_that_is_stuck_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk_module, "CLOSE_S", 0.05)
    stuck, desk = threading.Event(), Desk("test", threads=1, waiting_max=2)
    desk.begin(stuck.wait)
    async with asyncio.timeout(5):
        await desk.close()
        await desk.close()
    with pytest.raises(LogUnavailable, match="closed"):
        await desk.do(lambda: 1)
    stuck.set()


class Counted:
    """Knows one topic of so many partitions; counts how often it is asked."""

    def __init__(self, partitions: int) -> None:
        self.partitions_now = partitions
        self.asked = 0

    def partitions(self, topic: str) -> int:
        self.asked += 1
        if topic != "t":
            raise UnknownTopic(topic)
        return self.partitions_now


async def test_many_that_meet_a_topic_ask_once_and_a_topic_may_grow(desk: Desk) -> None:
    known = KnownTopics(admin := Counted(2), desk)
    await asyncio.gather(*(known.check(Partition("t", 1)) for _ in range(50)))
    assert admin.asked == 1
    with pytest.raises(UnknownTopic):
        await known.check(Partition("t", 2))
    admin.partitions_now = 3
    await known.check(Partition("t", 2))
    asked = admin.asked
    await known.check(Partition("t", 2))
    assert admin.asked == asked


async def test_a_topic_that_is_not_there_is_asked_for_again(desk: Desk) -> None:
    known = KnownTopics(admin := Counted(1), desk)
    for _ in range(2):
        with pytest.raises(UnknownTopic):
            await known.check(Partition("none", 0))
    assert admin.asked == 2
    with pytest.raises(UnknownTopic):
        await known.check(Partition("t", -1))
