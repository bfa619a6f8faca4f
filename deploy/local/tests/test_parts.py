"""The log view, the layout of ports, programs that end as told, and what is missing."""

import io
from pathlib import Path

import pytest

from deploy.kafka.distribution import CannotStart
from deploy.local import servers, view
from deploy.local.layout import INSTANCES_MAX, Layout
from deploy.local.program import Program
from deploy.local.view import View
from libs.runtime.addresses import parse
from libs.testing.eventually import eventually
from libs.wire.services import CHAT, GATEWAY, RELAY
from services.catalog import NAMES


def test_lines_are_shown_whole_and_behind_a_name_of_one_width(tmp_path: Path) -> None:
    chat, relay = tmp_path / "chat", tmp_path / "relay"
    chat.write_text("before\n")
    out = io.StringIO()
    shown = View({CHAT: chat, RELAY: relay}, out, 6)
    shown.show()
    with chat.open("a") as more:
        more.write("one\ntw")
    relay.write_text("three\n")
    shown.show()
    with chat.open("a") as more:
        more.write("o\n")
    shown.show()
    assert out.getvalue() == "chat   | one\nrelay  | three\nchat   | two\n"


def test_a_file_that_grew_too_long_is_emptied_once_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "FILE_BYTES_MAX", 10)
    file, out = tmp_path / "chat", io.StringIO()
    shown = View({CHAT: file}, out, 4)
    file.write_text("a line of some length\n")
    shown.show()
    assert file.read_text() == ""
    file.write_text("more\n")
    shown.show()
    assert out.getvalue() == "chat | a line of some length\nchat | more\n"


def test_every_process_has_its_own_ports_and_all_addresses_are_told(tmp_path: Path) -> None:
    layout = Layout(18_000, INSTANCES_MAX, gateways=2)
    assert len(layout.seats) == 2 + INSTANCES_MAX * (len(NAMES) - 1)
    assert len(set(layout.ports())) == 2 * len(layout.seats)
    assert layout.names()[:3] == ["gateway-1", "gateway-2", "chat-1"]
    told = dict(
        word.split("=", 1)
        for word in layout.program((CHAT, 1), tmp_path, inherit=False)._command
        if "=" in word
    )
    assert told["ROSTRUM_OWN_PORT"] == "18101"
    usual = dict.fromkeys(NAMES, "http://nowhere")
    addresses = parse(told["ROSTRUM_ADDRESSES"], usual)
    assert addresses[GATEWAY] == ("http://127.0.0.1:18000", "http://127.0.0.1:18100")
    assert len(addresses[CHAT]) == INSTANCES_MAX


async def test_a_program_that_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    script = "trap '' TERM; echo up; while :; do read line; done < /dev/zero"
    program = Program("deaf", ["bash", "-c", script], tmp_path / "deaf.log")
    program.start()
    await eventually(lambda: program.has_said("up"), within_s=5, what="it runs")
    program.ask_to_end()
    assert program.wait(0.1) == -9
    assert program.pid is None


async def test_a_program_that_ends_before_it_is_ready_is_told_with_its_last_words(
    tmp_path: Path,
) -> None:
    program = Program("short", ["echo", "no such luck"], tmp_path / "short.log")
    (tmp_path / "short.log").write_text("ready on port 1, the last time\n")
    program.start()
    program.wait(5)
    with pytest.raises(CannotStart, match="short ended:\nno such luck"):
        program.has_said("ready on port")


def test_a_missing_redis_is_one_line_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart) as error:
        servers.redis(tmp_path)
    assert str(error.value) == (
        "redis-server is missing: install it (Debian: apt install redis-server)"
    )


def test_a_redis_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "REDIS_ANSWERS_S", 0.05)
    with pytest.raises(CannotStart, match="Redis does not answer"):
        servers.wait_for_redis("redis://127.0.0.1:1/0")
    assert servers.brokers_known("127.0.0.1:1") == 0
