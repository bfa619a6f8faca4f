"""The commands of operators at a suite of processes on Kafka and Redis, well and with faults."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from harness.cluster import Cluster, healed
from harness.people import People
from harness.suite import ROOT
from libs.log.open import open_log
from libs.log.port import Partition
from libs.runtime.clock import SystemClock
from libs.testing.eventually import eventually
from libs.testing.lacking import lacking
from libs.wire.records import Membership, encode
from libs.wire.services import CHAT, GROUP_MEMBERSHIP
from libs.wire.topics import MEMBERS, SIGNALS, TOPICS

ENDS_S = 60.0
# Members of a group that stood still are let in again after their session, six seconds.
WELL_S = 60.0
PLACE = Partition(MEMBERS.name, 3)
MANY = 20

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Ended(NamedTuple):
    """How a command ended and what it printed."""

    code: int | None
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its JSON."""
        return json.loads(self.out)


async def rostrum(cluster: Cluster, *arguments: str) -> Ended:
    """Run a command with the settings that the processes of a cluster have."""
    layout = cluster.layout
    urls: dict[str, list[str]] = {}
    for seat in layout.seats:
        urls.setdefault(seat[0], []).append(layout.url(*seat))
    told = {
        "PORT": str(cluster.port),
        "DATA": str(cluster.folder),
        "LOG_URL": layout.settings["log_url"],
        "STORE_URL": layout.settings["store_url"],
        "ADDRESSES": ",".join(f"{name}={' '.join(each)}" for name, each in urls.items()),
    }
    environ = {name: value for name, value in os.environ.items() if "ROSTRUM_" not in name}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *arguments),
        cwd=ROOT,
        env=environ | {f"ROSTRUM_{name}": value for name, value in told.items()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(ENDS_S):
        out, err = await process.communicate()
    return Ended(process.returncode, out.decode(), err.decode())


async def lines(cluster: Cluster, code: int) -> Mapping[str, list[Any]]:
    """What `check` finds, by part."""
    ended = await rostrum(cluster, "check", "--json")
    assert ended.code == code, ended
    found: dict[str, list[Any]] = {}
    for line in ended.document["lines"]:
        found.setdefault(line["part"], []).append(line)
    return found


def wrong(found: Mapping[str, list[Any]]) -> list[str]:
    """What is said of the parts that are wrong."""
    return [line["says"] for each in found.values() for line in each if line["state"] == "wrong"]


@contextmanager
def setting(cluster: Cluster, topic: str, name: str, value: str) -> Iterator[None]:
    """A topic whose setting is another meanwhile."""
    admin = AdminClient({"bootstrap.servers": cluster.servers.bootstrap})
    resource = ConfigResource(ResourceType.TOPIC, topic)
    before = admin.describe_configs([resource])[resource].result()[name].value

    def put(wanted: str) -> None:
        entry = ConfigEntry(name, wanted, incremental_operation=AlterConfigOpType.SET)
        asked = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        for future in admin.incremental_alter_configs([asked]).values():
            future.result()

    put(value)
    try:
        yield
    finally:
        put(before)


async def test_kafka_all_is_well_and_every_instance_was_asked(cluster: Cluster) -> None:
    found = await lines(cluster, 0)
    assert {line["state"] for each in found.values() for line in each} == {"ok"}
    assert len(found["health"]) == len(cluster.layout.seats)
    assert "agree within" in found["clocks"][0]["says"]
    assert found["clocks"][0]["says"].startswith(f"{len(cluster.layout.seats) + 2} ")
    assert "version" in found["redis"][0]["says"]


async def test_kafka_a_wrong_topic_setting_is_named_with_the_tool_that_mends_it(
    cluster: Cluster,
) -> None:
    with setting(cluster, SIGNALS.name, "retention.ms", "1000"):
        found = await lines(cluster, 1)
        assert wrong(found) == ["signals: retention.ms is 1000, it must be 3600000"]
        assert "kafka-configs.sh --alter --topic signals" in found["topics"][0]["todo"]
        topics = await rostrum(cluster, "topics", "--json")
        assert topics.code == 1
        assert "signals: not as they must be" in topics.err
    await lines(cluster, 0)


async def test_kafka_an_instance_that_is_gone_is_named(cluster: Cluster) -> None:
    async with healed(cluster):
        await cluster.kill(CHAT, 1)
        found = await lines(cluster, 1)
        (says,) = wrong(found)
        assert says.startswith(f"chat: {cluster.layout.admin_url(CHAT, 1)}/health/ready does not")
        lag = await rostrum(cluster, "lag", "--json")
        assert lag.code == 1
        assert [line.partition(":")[0] for line in lag.document["away"]] == [CHAT]


async def test_kafka_topics_channels_and_entries_are_read_beside_the_services(
    cluster: Cluster,
) -> None:
    async with People(cluster.url) as people:
        ada, ben = await people.person("commands_ada"), await people.person("commands_ben")
        channel = (await ada.create("commands", visibility="public"))["id"]
        await ben.join(channel)
        for number in range(3):
            await ada.post_surely(channel, f"text {number}", f"c{number}")
    topics = await rostrum(cluster, "topics", "--json")
    assert topics.code == 0, topics
    assert len(topics.document["topics"]) > len(TOPICS) + 1
    told = (await rostrum(cluster, "channel", channel, "--json")).document
    assert (told["head"], told["members"]) == (3, 2)
    assert told["by_role"] == {"member": 1, "owner": 1}
    tail = await rostrum(cluster, "tail", channel, "--from", "first", "--count", "3", "--json")
    entries = [json.loads(line) for line in tail.out.splitlines()]
    assert [entry["text"] for entry in entries] == ["text 0", "text 1", "text 2"]


async def test_kafka_views_that_stand_still_fall_behind_and_catch_up(cluster: Cluster) -> None:
    """The view is that of both instances, so both stand still."""
    async with healed(cluster):
        for instance in range(2):
            cluster.pause(GROUP_MEMBERSHIP, instance)
        await _write(cluster)
        standing = await rostrum(cluster, "lag", "--json")
        assert _behind(standing, "view", MEMBERS.name) == MANY
        assert sum(GROUP_MEMBERSHIP in line for line in standing.document["away"]) == 2

    async def caught_up() -> bool:
        ended = await rostrum(cluster, "lag", "--json", "--max", "1000")
        return ended.code == 0 and _behind(ended, "view", MEMBERS.name) == 0

    await eventually(caught_up, within_s=WELL_S, what="the view has all")


async def test_kafka_load_loses_nothing(cluster: Cluster) -> None:
    ended = await rostrum(
        cluster,
        *("load", "--for", "2", "--ramp", "0", "--rate", "20", "--json"),
        *("--websocket", "3", "--events", "3", "--poll", "3"),
    )
    assert ended.code == 0, ended
    assert ended.document["posts"]["acknowledged"] == 40


@pytest.mark.long
async def test_kafka_redis_that_stands_still_is_named(cluster: Cluster) -> None:
    redis = cluster.servers.redis
    if redis is None:
        lacking("the Redis of REDIS_URL is not ours to pause")
    redis.pause()
    try:
        said = wrong(await lines(cluster, 1))
        assert any(says.startswith("it does not answer") for says in said), said
        lag = await rostrum(cluster, "lag", "--json")
        assert lag.code == 1
        assert any(line.startswith("Redis at") for line in lag.document["away"])
    finally:
        redis.resume()

    async def is_well() -> bool:
        return (await rostrum(cluster, "check", "--json")).code == 0

    await eventually(is_well, within_s=WELL_S, what="all is well again")


async def _write(cluster: Cluster) -> None:
    log = await open_log(cluster.layout.settings["log_url"], now_ms=SystemClock().now_ms)
    for number in range(MANY):
        record = Membership(channel="nobody", user=f"u{number}", joined=True, at_ms=1)
        await log.append(PLACE, encode(record), key=b"nobody u%d" % number)
    await log.close()


def _behind(ended: Ended, kind: str, topic: str) -> int:
    (row,) = [
        row
        for row in ended.document["lag"]
        if (row["service"], row["what"], row["topic"]) == (GROUP_MEMBERSHIP, kind, topic)
    ]
    behind: int = row["behind"]
    return behind
