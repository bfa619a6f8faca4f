"""Our own deployment as a contestant: real, with listeners of many people."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.embedded import Embedded
from bench.listeners import Listeners
from bench.messages import written
from bench.tests.tap import Tap
from bench.ways import Load, Way

MANY = 20
WAYS = pytest.mark.parametrize("way", list(Way), ids=lambda way: way.value)
LOAD = Load(MANY, deadline_s=40, life_s=90)
ID = rb"[0-9A-HJKMNP-TV-Z]{26}"


@WAYS
def test_a_post_comes_once_to_each_of_many_people(rostrum: Embedded, way: Way) -> None:
    listening = rostrum.listening(way, MANY)
    assert listening.tokens is not None
    assert len(set(listening.tokens.read_text("ascii").split())) == MANY
    with Listeners(listening, LOAD) as listeners:
        for _ in range(2):
            woken = listeners.wake(rostrum.next_id, lambda: rostrum.send(way), again=True)
            assert (woken.woken, woken.again_ms is not None) == (MANY, way is Way.POLL)
        assert listeners.end() == {}


@WAYS
def test_what_floors_write_is_what_the_gateway_writes(rostrum: Embedded, way: Way) -> None:
    """But for ids, times, and how far an alias counts, which change from run to run."""
    got = _alike(way, _heard(rostrum, way))
    assert got == _alike(way, written(way, rostrum.next_id - 1))


def test_a_contestant_that_starts_anew_has_a_log_of_its_own(tmp_path: Path) -> None:
    contestant = Embedded(None)
    for folder in ("one", "two"):
        contestant.start(tmp_path / folder)
        contestant.send(Way.POLL)
        assert contestant.next_id == 2
        contestant.stop()
    assert contestant.pids() == []


def _heard(rostrum: Embedded, way: Way) -> bytes:
    """All bytes that one connection gets for one post."""
    listening = rostrum.listening(way, 1)
    with Tap(listening.targets[0]) as tap:
        tapped = replace(listening, targets=[tap.address])
        with Listeners(tapped, replace(LOAD, connections=1)) as listeners:
            tap.forget()
            listeners.wake(rostrum.next_id, lambda: rostrum.send(way))
            return tap.heard()


def _alike(way: Way, raw: bytes) -> bytes | int:
    if way is Way.PACKED:
        # An alias and how far a time is from its beginning take one byte to five.
        return len(raw) // 10
    text = re.sub(ID, b"<id>", raw)
    text = re.sub(rb"date: [^\r]+", b"date", text)
    return re.sub(rb'"at":"[^"]+"', b'"at"', text)


def test_an_owner_gets_a_new_token_before_the_old_one_ends(
    rostrum: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = rostrum.owner.token
    rostrum.owner.stay()
    assert rostrum.owner.token == token
    monkeypatch.setattr("bench.rostrum.RENEW_S", 0.0)
    rostrum.owner.stay()
    assert rostrum.owner.token != token
