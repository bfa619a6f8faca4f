"""`rostrum lag`: at a deployment that runs, and with views that stand still while the log grows."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cli.tests.site import ENDS_S, Site, document, line_of, ran, started
from libs.log.port import Partition
from libs.log.sqlite import open_sqlite
from libs.runtime.settings import PREFIX
from libs.runtime.view import applied_key, position_key
from libs.store import open_store
from libs.testing.eventually import eventually
from libs.wire.records import Membership, encode
from libs.wire.services import CHAT, GATEWAY, GROUP_MEMBERSHIP, RELAY, SESSION
from libs.wire.topics import ACCESS_CHANGES, DIRECTORY, MEMBERS, SIGNALS, TOPICS, VIEWS

PLACE = Partition(MEMBERS.name, 3)


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """A log of a deployment that does not run."""
    asyncio.run(_append(tmp_path, 0))
    return tmp_path


async def _append(folder: Path, count: int) -> None:
    log = await open_sqlite(str(folder / "rostrum.db"), now_ms=lambda: 1)
    await log.create_topics(TOPICS)
    for number in range(count):
        record = Membership(channel="c", user=f"u{number}", joined=True, at_ms=1)
        await log.append(PLACE, encode(record), key=b"%d" % number)
    await log.close()


def _row(told: Any, service: str, kind: str, topic: str) -> Any:
    (row,) = [
        row
        for row in told["lag"]
        if (row["service"], row["what"], row["topic"]) == (service, kind, topic)
    ]
    return row


def test_a_deployment_that_is_well_is_behind_in_nothing(site: Site) -> None:
    told = document(site.run("lag", "--json"))
    for service, topics in VIEWS.items():
        for topic in topics:
            row = _row(told, service, "view", topic.name)
            assert (row["partitions"], row["seen"]) == (topic.partitions, "log")
            assert row["behind"] == 0
    for service, topic in (
        *((CHAT, DIRECTORY), (RELAY, DIRECTORY), (GROUP_MEMBERSHIP, DIRECTORY)),
        *((RELAY, SIGNALS), (CHAT, ACCESS_CHANGES), (GATEWAY, ACCESS_CHANGES)),
    ):
        row = _row(told, service, "tail", topic.name)
        assert row["seen"] == site.suite.admin_url.removeprefix("http://")
        # Heartbeats come all the time.
        assert row["behind"] <= ACCESS_CHANGES.partitions * 3
    assert told["away"] == []
    (unseen,) = told["unseen"]
    assert unseen.startswith("the Redis inside of the one process")


def test_people_read_a_row_for_each_reader_or_each_partition(site: Site) -> None:
    answer = site.run("lag", "--max", "1000")
    assert answer.exit_code == 0
    head, *rows = [line.split() for line in answer.stdout.splitlines() if line.strip()]
    assert head == ["service", "what", "topic", "parts", "behind", "worst", "seen"]
    assert [SESSION, "view", "names", "1", "0", "0", "log"] in rows
    assert answer.stderr.startswith("not seen: the Redis inside")
    each = site.run("lag", "--partitions").stdout.splitlines()
    assert each[0].split() == [
        *("service", "what", "topic", "part", "position", "end", "behind", "seen")
    ]
    assert len(each) > len(rows) + 50


def test_views_that_stand_still_are_behind_by_what_was_written(still: Path) -> None:
    asyncio.run(_append(still, 7))
    answer = ran(still, "lag", "--json", "--partitions", PORT="9")
    told = document(answer, 1)
    (row,) = [
        row for row in told["lag"] if (row["topic"], row["partition"]) == (PLACE.topic, PLACE.index)
    ]
    assert (row["service"], row["position"], row["end"], row["behind"]) == (
        *(GROUP_MEMBERSHIP, 0, 7, 7),
    )
    assert len(told["away"]) == 1
    assert "does not answer: rostrum check" in answer.stderr


def test_more_than_max_is_a_finding(still: Path, redis_url: str, site: Site) -> None:
    """The views are those of the Redis that is named, the followers those of a suite that runs."""
    asyncio.run(_append(still, 7))
    options = ("lag", "--redis", redis_url, "--log", f"sqlite:///{still / 'rostrum.db'}")
    assert site.run(*options, "--max", "7").exit_code == 0
    answer = site.run(*options, "--max", "6")
    assert answer.exit_code == 1
    assert answer.stderr == (
        "Error: 1 positions are more than 6 records behind, group-membership in members/3 by 7\n"
    )


def test_positions_in_redis_count_where_it_is_named(still: Path, redis_url: str) -> None:
    asyncio.run(_append(still, 5))

    async def store() -> None:
        redis = open_store(redis_url)
        await redis.set(position_key(GROUP_MEMBERSHIP, PLACE), 4)
        await redis.set(applied_key(GROUP_MEMBERSHIP, PLACE), 2)
        await redis.aclose()

    asyncio.run(store())
    told = document(ran(still, "lag", "--json", "--redis", redis_url, PORT="9"), 1)
    view, announced = (
        _row(told, GROUP_MEMBERSHIP, kind, MEMBERS.name) for kind in ("view", "told")
    )
    assert (view["behind"], view["seen"]) == (1, "redis")
    assert (announced["behind"], announced["partitions"]) == (3, 1)
    assert told["unseen"] == []


def test_a_redis_that_is_away_is_a_finding_and_what_was_committed_is_shown(still: Path) -> None:
    answer = ran(still, "lag", "--json", "--redis", "redis://us:pw@127.0.0.1:9/0", PORT="9")
    told = document(answer, 1)
    assert any(line.startswith("Redis at redis://us:***@127.0.0.1:9/0") for line in told["away"])
    assert _row(told, SESSION, "view", "names")["seen"] == "log"


def test_what_names_no_redis_is_wrong_use(still: Path) -> None:
    answer = ran(still, "lag", "--redis", "http://here")
    assert (answer.exit_code, "names no Redis" in answer.stderr) == (2, True)


async def test_who_watches_sees_it_grow(still: Path) -> None:
    environment = {f"{PREFIX}DATA": str(still), f"{PREFIX}PORT": "9", "PATH": ""}
    async with started(environment, "lag", "--watch", "0.2", "--json") as process:
        first = _row(json.loads(await line_of(process)), GROUP_MEMBERSHIP, "view", MEMBERS.name)
        assert (first["behind"], first["grew"]) == (0, None)
        await _append(still, 5)

        async def grown() -> bool:
            told = json.loads(await line_of(process))
            row = _row(told, GROUP_MEMBERSHIP, "view", MEMBERS.name)
            return bool((row["behind"], row["grew"]) == (5, 5))

        await eventually(grown, within_s=ENDS_S, what="what was written shows as growth")


async def test_without_a_terminal_tables_follow_each_other(still: Path) -> None:
    environment = {f"{PREFIX}DATA": str(still), f"{PREFIX}PORT": "9", "PATH": ""}
    async with started(environment, "lag", "--watch", "0.2") as process:

        async def is_head() -> bool:
            return (await line_of(process)).split()[-2:] == ["grew", "seen"]

        for _ in range(2):
            await eventually(is_head, within_s=ENDS_S, what="a table")
