"""`rostrum tail --gateway`: as a member gets it."""

import asyncio
import json
import signal

import pytest

from cli.entries import fields_of
from cli.lines import Shown, Span, for_programs
from cli.tail_gateway import _take
from cli.tests.site import ENDS_S, HANDLE, TEXTS, Site, line_of, lines, started
from rostrum import Jumped, Unknown, WasReset


def test_a_member_gets_what_the_log_has(site: Site) -> None:
    options = ("tail", HANDLE, "--from", "first", "--no-follow", "--json")
    by_gateway = site.run(*options, "--gateway", TOKEN=site.owner.token)
    assert by_gateway.exit_code == 0
    assert lines(by_gateway.stdout) == lines(site.run(*options).stdout)


def test_count_ends_it_in_the_past(site: Site) -> None:
    options = ("tail", site.channel, "--gateway", "--from", "2", "--count", "1", "--json")
    answer = site.run(*options, TOKEN=site.owner.token)
    assert [entry["id"] for entry in lines(answer.stdout)] == [2]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_posted_meanwhile_comes(site: Site) -> None:
    environment = site.environment(TOKEN=site.admin.token)
    async with started(environment, "tail", HANDLE, "--gateway", "--json") as process:
        for _ in TEXTS:
            await line_of(process)
        posted = await site.owner.post_surely(site.channel, "now", "now")
        assert json.loads(await line_of(process))["id"] == posted
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(ENDS_S):
            _, errors = await process.communicate()
    assert (process.returncode, errors.decode().strip()) == (0, "")


def test_who_is_not_signed_in_is_told_how(site: Site) -> None:
    answer = site.run("tail", HANDLE, "--gateway", "--sessions", str(site.suite.data / "none"))
    assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)
    assert "give an access token with --token" in answer.stderr


def test_who_may_not_read_and_what_is_not_there_is_one_line(site: Site) -> None:
    banned = site.run("tail", site.channel, "--gateway", TOKEN=site.banned.token)
    assert (banned.exit_code, banned.stderr.count("\n")) == (1, 1)
    assert "banned" in banned.stderr
    nobody = site.run("tail", "@nobody", "--gateway", TOKEN=site.owner.token)
    assert (nobody.exit_code, nobody.stderr.count("\n")) == (1, 1)
    assert "you see no channel with the handle '@nobody'" in nobody.stderr


def test_a_gateway_that_is_away_is_one_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.tail_gateway.FIRST_S", 0.5)
    options = ("tail", site.channel, "--gateway", "--url", "http://127.0.0.1:9")
    answer = site.run(*options, TOKEN=site.owner.token)
    assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)
    assert "no gateway was reached" in answer.stderr


def test_what_is_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown(Span(), for_programs)
    _take(Jumped("c", "1-5000", 3157, 5000, 1), shown)
    _take(WasReset("c", "2-70", 2, 70, 50), shown)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "3,157 entries were left out: the gateway jumped to the newest",
        "the channel's ids began anew, in epoch 2",
    ]


def test_an_entry_of_a_type_to_come_is_shown_as_it_came() -> None:
    fields = {"id": 4, "type": "poll", "from": "u"}
    assert fields_of(Unknown(id=4, type="poll", fields=fields)) == fields
