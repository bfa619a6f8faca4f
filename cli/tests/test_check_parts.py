"""The parts of `rostrum check` where a real fault is hard to make: clocks, health, old servers."""

from pathlib import Path

import pytest

from cli.address import Where
from cli.checking.clocks import APART_MS_MAX, Clocked, clock_line
from cli.checking.line import OK, UNSEEN, WRONG
from cli.checking.listeners import health_lines
from cli.checking.log import Heard, beat_lines, log_lines, topic_lines
from cli.checking.store import judged, look_at_store
from cli.instances import Instance, instances
from cli.survey import Seen
from libs.log.port import Partition, Stored
from libs.runtime.addresses import ADMIN_OFFSET
from libs.runtime.admin import admin_app
from libs.runtime.clock import SystemClock
from libs.runtime.settings import CommandSettings
from libs.runtime.visit import Health, Visitor
from libs.testing.served import served
from libs.wire.records import Heartbeat, encode
from libs.wire.services import CHAT, GATEWAY, RELAY
from libs.wire.topics import ACCESS_CHANGES, GOVERNANCE, MEMBERS
from services.catalog import NAMES


def test_clocks_agree_up_to_what_the_gateways_bear() -> None:
    near = [Clocked("a", 0, 5), Clocked("b", APART_MS_MAX, 5)]
    assert clock_line(near).state == OK
    far = clock_line([*near, Clocked("c", -20, 5)])
    assert far.state == WRONG
    assert far.says == "b is at least 1,010 ms ahead of c"
    assert "NTP" in far.todo


def test_what_is_not_known_well_is_not_called_wrong() -> None:
    line = clock_line([Clocked("a", 0, 5), Clocked("b", 3_000, 2_500)])
    assert (line.state, line.says) == (OK, "2 agree within 495 ms (each known to 2,500 ms)")


def test_one_clock_is_nothing_to_compare() -> None:
    assert clock_line([Clocked("a", 0, 5)]).state == UNSEEN


@pytest.mark.parametrize(
    ("version", "state"),
    [("7.0.0", OK), ("7.4.1", OK), ("8.0", OK), ("6.2.14", WRONG), ("", WRONG), ("x", WRONG)],
)
def test_redis_is_new_enough_or_not(version: str, state: str) -> None:
    (line,) = judged({"redis_version": version, "maxmemory_policy": "noeviction"})
    assert line.state == state
    assert state == OK or "Redis 7.0 or newer" in line.todo


def test_a_redis_that_takes_from_views_is_wrong_and_one_that_takes_hints_is_not() -> None:
    taking = {"redis_version": "7.2.0", "maxmemory_policy": "allkeys-lru"}
    (line,) = judged(taking)
    assert (line.state, "noeviction" in line.todo) == (WRONG, True)
    (line,) = judged({**taking, "maxmemory_policy": "volatile-ttl"})
    assert line.state == OK


async def test_an_embedded_redis_is_unseen() -> None:
    told = await look_at_store(Where(CommandSettings()), SystemClock())
    assert [line.state for line in told.lines] == [UNSEEN]
    assert told.ahead_ms is None


def test_an_instance_that_lacks_something_is_wrong_with_its_words() -> None:
    lacks = {CHAT: ["directory: away"], "process": ["log: silent"]}
    instance = Instance([CHAT], "http://c:1", Health(lacks, 1.0, 1.0))
    (line,) = health_lines([instance])
    assert line.state == WRONG
    assert line.says == (
        "chat at http://c:1: chat lacks directory: away, process lacks log: silent"
    )


def test_an_instance_without_a_service_of_ours_is_unseen() -> None:
    (line,) = health_lines([Instance([], "http://c:1", Health({}, 1.0, 1.0))])
    assert line.state == UNSEEN


async def test_services_that_share_the_gateways_process_are_not_asked_elsewhere() -> None:
    async with (
        served(admin_app(dict.fromkeys((GATEWAY, CHAT), tuple), SystemClock())) as admin,
        Visitor(SystemClock()) as visitor,
    ):
        host, _, port = admin.rpartition(":")
        url = f"{host}:{int(port) - ADMIN_OFFSET}"
        where = Where(CommandSettings(url=url, log_url="kafka://k:1"))
        found = await instances(where, visitor)
    assert found[0].services == [GATEWAY, CHAT]
    assert found[0].name == "the one process"
    assert [each.services for each in found[1:]] == [
        [name] for name in NAMES if name not in {GATEWAY, CHAT}
    ]
    assert all(each.away for each in found[1:])


def test_who_beats_is_heard_and_who_does_not_is_named() -> None:
    heard = Heard({(ACCESS_CHANGES, Partition(GOVERNANCE.name, 3))})
    assert beat_lines(heard)[0].state == WRONG
    beat = Heartbeat(topic=GOVERNANCE.name, partition=3, at_ms=5)
    place = Partition(ACCESS_CHANGES.name, 3)
    records = [
        Stored(place, 0, 1_000, b"", b"\xc1"),
        Stored(place, 1, 1_400, b"", encode(beat)),
    ]
    heard.take_all(ACCESS_CHANGES, records, 1_500)
    assert [line.state for line in beat_lines(heard)] == [OK]
    assert heard.ahead_ms == -100


def test_one_copy_is_said_where_it_was_asked_for() -> None:
    def says(url: str) -> list[str]:
        where = Where(CommandSettings(log_url=url))
        return [line.says for line in log_lines(where, [Seen(MEMBERS, 8, [], {})], 12.4)]

    assert says("kafka://k:1") == ["kafka://k:1 answers, 8 partitions in 12 ms"]
    assert len(says("kafka://k:1?unsafe_single=1")) == 2


def test_a_breach_in_kafka_comes_with_the_tool_that_mends_it() -> None:
    seen = Seen(MEMBERS, 8, ["retention.ms is 1, it must be -1"], {})
    (line,) = topic_lines(Where(CommandSettings(log_url="kafka://k:1")), [seen])
    assert line.says == "members: retention.ms is 1, it must be -1"
    assert line.todo.startswith("change it with kafka-configs.sh --alter --topic members")


async def test_a_relay_beside_is_asked_on_its_own_address(tmp_path: Path) -> None:
    async with (
        served(admin_app({RELAY: lambda: ["signals: behind"]}, SystemClock())) as admin,
        Visitor(SystemClock()) as visitor,
    ):
        host, _, port = admin.rpartition(":")
        addresses = f"relay={host}:{int(port) - ADMIN_OFFSET}"
        where = Where(
            CommandSettings(url="http://127.0.0.1:9", log_url="kafka://k:1", addresses=addresses)
        )
        found = await instances(where, visitor)
    (relay,) = [each for each in found if each.services == [RELAY]]
    assert relay.health is not None
    assert not relay.health.is_ready
