"""`rostrum check`: a deployment that is well, and one fault after the other."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from cli.checking import log as of_log
from cli.tests.site import Site, document, ran
from harness.suite import Suite
from libs.log.sqlite import open_sqlite
from libs.wire.topics import SIGNALS, TOPICS, Cleanup, pool

PARTS = ("settings", "gateway", "health", "log", "topics", "heartbeats", "redis", "clocks")


def _lines(answer: Result, code: int) -> Mapping[str, list[Any]]:
    """What was found, by part."""
    told = document(answer, code)
    assert told["ok"] == (code == 0)
    found: dict[str, list[Any]] = {}
    for line in told["lines"]:
        found.setdefault(line["part"], []).append(line)
        assert bool(line["todo"]) == (line["state"] == "wrong"), line
    return found


def _wrong(answer: Result) -> Mapping[str, list[Any]]:
    found = _lines(answer, 1)
    wrong = {
        part: [line for line in lines if line["state"] == "wrong"] for part, lines in found.items()
    }
    return {part: lines for part, lines in wrong.items() if lines}


def test_a_deployment_that_is_well_has_a_line_for_each_part(site: Site) -> None:
    found = _lines(site.run("check", "--json"), 0)
    assert tuple(found) == PARTS
    assert {line["state"] for line in found["redis"] + found["clocks"]} == {"unseen"}
    assert "inside of the one process" in found["redis"][0]["says"]
    (health,) = found["health"]
    assert "gateway, chat, group-membership, session, relay" in health["says"]
    says = found["topics"][0]["says"]
    assert says == "11 are as they must be, 1 of them pools with room for 63 channels"


def test_people_read_a_line_each_and_what_to_do(site: Site) -> None:
    answer = site.run("check", CHAT_APPEND_S="soon")
    assert answer.exit_code == 1
    first, second = answer.stdout.splitlines()
    assert first.startswith("wrong   settings  ROSTRUM_CHAT_APPEND_S")
    assert second.strip().startswith("-> change it; python -m services all --check")
    assert answer.stderr == "Error: 1 of 1 lines are wrong\n"


def test_every_wrong_setting_is_named_before_anything_is_asked(site: Site) -> None:
    answer = site.run("check", "--json", PORT_="1", GATEWAY_WAIT_S_MAX="900")
    says = [line["says"] for line in _wrong(answer)["settings"]]
    assert len(says) == 2
    assert any("ROSTRUM_GATEWAY_WAIT_S_MAX='900'" in each for each in says)
    assert any("did you mean ROSTRUM_PORT?" in each for each in says)


def test_redis_that_is_away_is_named(site: Site) -> None:
    wrong = _wrong(site.run("check", "--json", "--redis", "redis://127.0.0.1:9/0"))
    assert list(wrong) == ["redis"]
    (line,) = wrong["redis"]
    assert "it does not answer" in line["says"]
    assert "--redis or ROSTRUM_STORE_URL" in line["todo"]


def test_what_names_no_redis_and_no_services_is_said(site: Site) -> None:
    wrong = _wrong(site.run("check", "--json", "--redis", "http://here"))
    assert "'http://here' names no Redis" in wrong["redis"][0]["says"]
    answer = site.run("check", "--addresses", "chta=http://here:1")
    assert (answer.exit_code, "'chta' is no service" in answer.stderr) == (2, True)


def test_a_gateway_that_is_away_is_named_and_the_log_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_log, "HEARD_S", 0.3)

    async def once() -> int:
        async with Suite(tmp_path) as suite:
            return suite.port

    port = asyncio.run(once())
    wrong = _wrong(ran(tmp_path, "check", "--json", PORT=str(port)))
    assert set(wrong) == {"gateway", "health", "heartbeats"}
    assert f"http://127.0.0.1:{port}/v1/keys does not answer" in wrong["gateway"][0]["says"]
    assert f":{port + 1_000}/health/ready does not answer" in wrong["health"][0]["says"]
    by_writer = [line["says"] for line in wrong["heartbeats"]]
    assert by_writer == [
        "40 sources of group-membership are not heard in 0.3 s, such as channels/0",
        "16 sources of session are not heard in 0.3 s, such as sessions/0",
    ]


def test_a_topic_of_another_form_and_one_that_is_missing_are_named(tmp_path: Path) -> None:
    async def make() -> None:
        log = await open_sqlite(str(tmp_path / "rostrum.db"), now_ms=lambda: 1)
        kept = [topic for topic in TOPICS[1:] if topic is not SIGNALS]
        await log.create_topics([*kept, replace(SIGNALS, cleanup=Cleanup.NEVER), pool(0, 4)])
        await log.close()

    asyncio.run(make())
    wrong = _wrong(ran(tmp_path, "check", "--json"))
    says = {line["says"]: line["todo"] for line in wrong["topics"]}
    assert "start the services, which make it" in says[f"{TOPICS[0].name}: it is not there"]
    assert "another release" in says["signals: cleanup is never, it must be age"]


def test_a_log_that_is_away_is_named(tmp_path: Path) -> None:
    wrong = _wrong(ran(tmp_path, "check", "--json"))
    assert "there is no log at" in wrong["log"][0]["says"]
    assert "name it with --log" in wrong["log"][0]["todo"]


def test_kafka_without_a_redis_that_is_named_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.log.kafka.admin.REQUEST_S", 0.5)
    wrong = _wrong(ran(tmp_path, "check", "--json", "--log", "kafka://127.0.0.1:9"))
    assert set(wrong) == {"gateway", "health", "log", "redis"}
    assert len(wrong["health"]) == 5
    assert "none is named" in wrong["redis"][0]["says"]
