"""What the driver is told, where a wrong word breaks a promise that no short test could miss."""

import pytest

from libs.log.kafka import settings
from libs.log.kafka.writer import REPORT_S


@pytest.mark.law("L1")
def test_an_append_counts_when_every_replica_in_sync_has_it() -> None:
    told = settings.producer("broker:9092")
    assert told["acks"] == "all"
    assert told["enable.idempotence"] is True


@pytest.mark.law("L5")
def test_nothing_expires_in_the_driver_while_an_outage_lasts() -> None:
    told = settings.producer("broker:9092")
    assert isinstance(told["message.timeout.ms"], int)
    assert told["message.timeout.ms"] > 10 * REPORT_S * 1_000


def test_a_position_that_is_gone_is_an_answer_and_not_a_jump() -> None:
    for told in (settings.tail("b:1"), settings.member("b:1", "group"), settings.reader("b:1")):
        assert told["auto.offset.reset"] == "error"
        assert told["enable.auto.commit"] == "false"
