"""`rostrum topics` at a deployment that runs, and on logs that are not as they must be."""

import asyncio
from dataclasses import replace
from pathlib import Path

from cli.tests.site import Site, document, ran
from libs.log.sqlite import open_sqlite
from libs.wire.topics import MEMBERS, TOPICS, Cleanup, Topic


def _made(folder: Path, *topics: Topic) -> None:
    """A log with these topics, as somebody else might have made it."""

    async def make() -> None:
        log = await open_sqlite(str(folder / "rostrum.db"), now_ms=lambda: 1)
        await log.create_topics(topics)
        await log.close()

    asyncio.run(make())


def test_every_topic_has_its_row_and_pools_their_room(site: Site) -> None:
    told = document(site.run("topics", "--json"))["topics"]
    names = [row["topic"] for row in told]
    assert names[: len(TOPICS)] == [topic.name for topic in TOPICS]
    (pool,) = told[len(TOPICS) :]
    assert (pool["taken"], pool["free"]) == (1, pool["partitions"] - 1)
    assert all((row["state"], row["breaches"]) == ("ok", []) for row in told)
    members = next(row for row in told if row["topic"] == MEMBERS.name)
    assert members["partitions"] == MEMBERS.partitions
    assert members["records"] >= 2
    assert members["settings"] == {"cleanup": "compact", "kept_ms": "0"}


def test_people_read_a_table_and_of_one_topic_all_settings(site: Site) -> None:
    answer = site.run("topics")
    assert answer.exit_code == 0
    head, *rows = [line.split() for line in answer.output.splitlines() if line.strip()]
    assert head == ["topic", "partitions", "taken", "free", "records", "kept", "state"]
    assert len(rows) == len(TOPICS) + 2
    one = site.run("topics", MEMBERS.name)
    assert one.exit_code == 0
    assert "cleanup     compact" in one.output


def test_a_topic_of_another_form_and_one_that_is_missing_are_findings(tmp_path: Path) -> None:
    wrong = replace(MEMBERS, cleanup=Cleanup.AGE, kept_ms=60_000)
    _made(tmp_path, *(topic for topic in TOPICS[:-1] if topic is not MEMBERS), wrong)
    answer = ran(tmp_path, "topics", "--json")
    told = {row["topic"]: row for row in document(answer, 1)["topics"]}
    assert told[MEMBERS.name]["breaches"] == [
        "cleanup is age, it must be compact",
        "kept_ms is 60000, it must be 0",
    ]
    assert told[TOPICS[-1].name]["breaches"] == ["it is not there"]
    assert f"{MEMBERS.name}, {TOPICS[-1].name}: not as they must be" in answer.stderr


def test_a_name_that_no_topic_has_is_wrong_use(site: Site) -> None:
    answer = site.run("topics", "nothing")
    assert answer.exit_code == 2
    assert "there is no topic 'nothing'" in answer.stderr


def test_an_empty_log_has_no_topic_and_says_so(tmp_path: Path) -> None:
    _made(tmp_path)
    answer = ran(tmp_path, "topics")
    assert answer.exit_code == 1
    assert answer.output.count("it is not there") == len(TOPICS)
