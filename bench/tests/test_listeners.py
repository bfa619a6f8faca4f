"""The load client finds what a server does wrong, and nothing where it does right."""

import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from bench.child import ClientFailed
from bench.listeners import RETURNING, Back, Listeners
from bench.tests.scripted import (
    STREAMS,
    SWITCHED,
    Scripted,
    answer,
    chunk,
    frame,
    packed,
    said,
    text_of,
)
from bench.ways import Hear, Listening, Load, Say, Way

MANY = 20
SOON_S = 1.0
S_NS = 1_000_000_000
NOBODY = "127.0.0.1:9"
WAYS = pytest.mark.parametrize("way", list(Way), ids=lambda way: way.value)


# Twenty connections of two processes.
LOAD = Load(MANY, processes=2, deadline_s=20, life_s=60)
ONE = replace(LOAD, connections=1, processes=1)


def faults_of(way: Way, planted: Sequence[Sequence[int]], deadline_s: float) -> dict[str, int]:
    """The kinds of faults where the first connection gets `planted`, and others 1, 2 and 3."""
    with Scripted(way) as server:
        listeners = Listeners(
            server.listening(), replace(LOAD, deadline_s=deadline_s), may_fault=True
        )
        with listeners:
            right = said(way, [1, 2], [3])

            def send() -> None:
                server.wake(lambda number: said(way, *planted) if number == 0 else right)

            listeners.wake(1, send, count=3)
        return dict(listeners.faults)


@WAYS
def test_what_comes_once_and_in_order_is_no_fault(way: Way) -> None:
    with Scripted(way) as server, Listeners(server.listening(), LOAD) as listeners:
        woken = listeners.wake(1, lambda: server.wake(lambda _: said(way, [1])))
        later = listeners.wake(2, lambda: server.wake(lambda _: said(way, [2], [3, 4])), count=3)
        assert listeners.end() == {}
    assert (listeners.parked["parked"], woken.woken, later.woken) == (MANY, MANY, MANY)
    assert 0 < woken.first_ms <= woken.parts[50] <= woken.parts[99.9] <= woken.last_ms


@WAYS
def test_each_delivery_is_as_old_as_its_own_message(way: Way) -> None:
    """The second message is said to be sent ten seconds before the first."""

    def send() -> list[int]:
        sent_ns = time.monotonic_ns()
        server.wake(lambda _: said(way, [1]))
        server.wake(lambda _: said(way, [2]))
        return [sent_ns, sent_ns - 10 * S_NS]

    with Scripted(way) as server, Listeners(server.listening(), LOAD) as listeners:
        found = listeners.deliver(1, 2, send)
        assert listeners.end() == {}
    assert found.deliveries == 2 * MANY
    now, before = found.p99_ms
    assert 0 < found.first_ms <= now < 10_000 <= found.parts[60] <= before <= found.last_ms


@WAYS
def test_a_lost_id_is_found(way: Way) -> None:
    assert faults_of(way, [[1], [3]], SOON_S) == {"lost": 1}


@WAYS
def test_a_repeated_id_is_found(way: Way) -> None:
    assert faults_of(way, [[1], [2], [2, 3]], 20) == {"repeated": 1}


@WAYS
def test_a_reordered_id_is_found(way: Way) -> None:
    assert faults_of(way, [[1], [3], [2]], 20) == {"reordered": 1}


@WAYS
def test_an_id_of_no_wake_is_found(way: Way) -> None:
    assert faults_of(way, [[1, 2], [3], [4]], 20) == {"unasked": 1}


@WAYS
def test_an_id_of_an_earlier_wake_is_found(way: Way) -> None:
    with Scripted(way) as server:
        listeners = Listeners(server.listening(), ONE, may_fault=True)
        with listeners:
            listeners.wake(5, lambda: server.wake(lambda _: said(way, [5])))
            listeners.wake(6, lambda: server.wake(lambda _: said(way, [5], [6])))
        assert listeners.faults == {"stale": 1}


@WAYS
def test_what_comes_byte_by_byte_is_the_same(way: Way) -> None:
    whole = b"".join(said(way, [1, 2, 3]))
    bytes_of = [whole[at : at + 1] for at in range(len(whole))]
    with Scripted(way) as server, Listeners(server.listening(), LOAD) as listeners:
        woken = listeners.wake(1, lambda: server.wake(lambda _: bytes_of), count=3)
        assert (woken.woken, listeners.end()) == (MANY, {})


@pytest.mark.parametrize("way", [Way.JSON, Way.PACKED, Way.SSE])
def test_several_answers_in_one_packet_are_taken_one_by_one(way: Way) -> None:
    whole = [b"".join(said(way, [1], [2], [3]))]
    with Scripted(way) as server, Listeners(server.listening(), LOAD) as listeners:
        woken = listeners.wake(1, lambda: server.wake(lambda _: whole), count=3)
        assert (woken.woken, listeners.end()) == (MANY, {})


@WAYS
def test_a_connection_that_the_server_closes_is_a_fault(way: Way) -> None:
    with Scripted(way) as server:
        listeners = Listeners(server.listening(), LOAD, may_fault=True)
        with listeners:
            right = said(way, [1])
            woken = listeners.wake(1, lambda: server.wake(lambda at: right if at else [None]))
        assert (woken.woken, listeners.faults) == (MANY - 1, {"closed": 1})


@pytest.mark.parametrize("way", [Way.POLL, Way.JSON, Way.SSE])
def test_a_cursor_that_is_not_of_the_last_entry_is_found(way: Way) -> None:
    """Who went on from it would lose or repeat what comes next."""
    wrong = [piece.replace(b'"cursor":"1-1"', b'"cursor":"1-9"') for piece in said(way, [1])]
    with Scripted(way) as server:
        listeners = Listeners(server.listening(), LOAD, may_fault=True)
        with listeners:
            listeners.wake(1, lambda: server.wake(lambda _: wrong))
        assert listeners.faults == {"cursor_wrong": MANY}


@pytest.mark.parametrize(
    ("way", "greet", "kind"),
    [
        (Way.JSON, answer(b'{"code":"limit_hit"}', "429 Too Many"), "http_429_limit_hit"),
        (Way.SSE, answer(b"", "503 Away"), "http_503"),
        (Way.SSE, b"rubbish" * 3000, "http"),
        (Way.JSON, SWITCHED + frame(b"\x11\x58late", 8), "close_4440"),
        (Way.JSON, SWITCHED + b"\x01\x05hel", "websocket"),
        (Way.JSON, SWITCHED + frame(b'{"type":"error","code":"x"}'), "error"),
        (Way.PACKED, SWITCHED + frame(b"\x91", 2), "msgpack"),
        (Way.PACKED, SWITCHED + frame(b"\x81\xa4type\xa6behind", 2), "behind"),
        (Way.PACKED, SWITCHED + frame(b"\x92\xc1\xc1", 2), "msgpack"),
        (Way.SSE, STREAMS + b"xyz\r\n", "chunks"),
    ],
)
def test_a_server_that_refuses_or_babbles_is_named(way: Way, greet: bytes, kind: str) -> None:
    with Scripted(way, greet) as server:
        listeners = Listeners(
            server.listening(Hear("never")), replace(LOAD, deadline_s=1), may_fault=True
        )
        with suppress(ClientFailed), listeners:
            pass
        assert listeners.faults == {kind: MANY}


@WAYS
@pytest.mark.parametrize("seed", range(2))
def test_rubbish_ends_its_connection_at_most(way: Way, seed: int) -> None:
    """Every other connection gets what is right with some bytes changed, cut or doubled."""
    chance = random.Random(seed)
    right = b"".join(said(way, [1, 2, 3]))

    def pieces(number: int) -> list[bytes]:
        return [right if number % 2 else mangled(right, chance)]

    with Scripted(way) as server:
        listeners = Listeners(
            server.listening(),
            replace(LOAD, connections=200, deadline_s=2 * SOON_S),
            may_fault=True,
        )
        with listeners:
            woken = listeners.wake(1, lambda: server.wake(pieces), count=3)
        assert 100 <= woken.woken < 200
        assert sum(listeners.faults.values()) > 0


def mangled(right: bytes, chance: random.Random) -> bytes:
    """With a few bytes that are others, or are missing, or come twice."""
    wrong = bytearray(right)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(wrong))
        wrong[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    return bytes(wrong)


def test_a_poll_that_is_refused_is_named() -> None:
    with Scripted(Way.POLL) as server:
        listeners = Listeners(server.listening(), LOAD, may_fault=True)
        with listeners:
            refusal = answer(b'{"code":"access_ended"}', "403 No")
            right = said(Way.POLL, [1])
            listeners.wake(1, lambda: server.wake(lambda at: right if at else [refusal]))
        assert listeners.faults == {"http_403_access_ended": 1}


@pytest.mark.parametrize("special", ["jump", "reset", "drain"])
def test_a_poll_that_says_something_else_is_named(special: str) -> None:
    body = f'{{"entries":[],"cursor":"1-1","{special}":{{}}}}'.encode()
    with Scripted(Way.POLL) as server:
        listeners = Listeners(server.listening(), replace(LOAD, deadline_s=SOON_S), may_fault=True)
        with listeners:
            right = said(Way.POLL, [1])
            listeners.wake(1, lambda: server.wake(lambda at: right if at else [answer(body)]))
        assert listeners.faults[special] == 1


def test_an_empty_answer_is_polled_again_and_no_fault() -> None:
    empty = answer(b'{"entries":[],"cursor":"1-0"}')
    with Scripted(Way.POLL) as server, Listeners(server.listening(), LOAD) as listeners:
        pieces = [empty, *said(Way.POLL, [1])]
        assert listeners.wake(1, lambda: server.wake(lambda _: pieces)).woken == MANY
        assert listeners.end() == {}


def test_an_answer_in_chunks_is_understood() -> None:
    body = text_of([1])
    chunked = chunk(body[:7]) + chunk(body[7:]) + b"0\r\n\r\n"
    piece = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked
    with Scripted(Way.POLL) as server, Listeners(server.listening(), LOAD) as listeners:
        assert listeners.wake(1, lambda: server.wake(lambda _: [piece])).woken == MANY


def test_packed_ids_count_from_what_the_alias_says() -> None:
    watched = b"\x82\xa4type\xa7watched\xa7base_id\xcd\x03\xe8"
    greet = SWITCHED + frame(watched, 2)
    with (
        Scripted(Way.PACKED, greet) as server,
        Listeners(server.listening(Hear("watched")), LOAD) as listeners,
    ):
        piece = frame(packed([1_001, 1_002], 1_000), 2)
        woken = listeners.wake(1_001, lambda: server.wake(lambda _: [piece]), count=2)
        assert (woken.woken, listeners.end()) == (MANY, {})


def test_who_is_never_told_that_it_listens_is_late() -> None:
    with Scripted(Way.JSON) as server:
        listeners = Listeners(server.listening(Hear("watched")), replace(LOAD, deadline_s=SOON_S))
        with pytest.raises(ClientFailed, match="not all were parked"):
            listeners.__enter__()


def test_polls_that_the_server_does_not_count_are_not_parked() -> None:
    with Scripted(Way.POLL) as server, Scripted(Way.POLL) as other:
        wrong = Listening(
            Way.POLL, server.listening().targets, "/", counts=other.listening().counts
        )
        with pytest.raises(ClientFailed, match="the server counts 0"):
            Listeners(wrong, replace(LOAD, deadline_s=SOON_S)).__enter__()


def test_steps_are_said_in_their_order_and_a_ping_is_answered() -> None:
    with Scripted(Way.JSON, SWITCHED + frame(b"0{}") + frame(b"2")) as server:
        listening = server.listening(Hear("0{}"), Say("40 {n} {id}"), Say(b"\x01"))
        with Listeners(listening, ONE) as listeners:
            assert listeners.parked["parked"] == 1


def test_connections_are_opened_no_faster_than_told() -> None:
    began_s = time.monotonic()
    with (
        Scripted(Way.JSON) as server,
        Listeners(server.listening(), replace(LOAD, connects_per_s=40)) as listeners,
    ):
        assert listeners.parked["seconds"] > 0.4
    assert time.monotonic() - began_s < 15


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--connections", "50000"], "give more --processes"),
        (["--to", "10.0.0.1:80"], "not on loopback"),
        (["--to", "127.0.0.1"], "not an address"),
        (["--way", "carrier-pigeon"], "--way is poll, sse, ws, post or get"),
        (["--say", "hello"], "a poll says and hears nothing"),
        (["--tokens", "no/such/file"], "cannot read no/such/file"),
        (["--connections", "many"], "not a number"),
        (["--cpu", "1023"], "cannot run on CPU 1023|process 0 of the client ended"),
    ],
)
def test_what_cannot_be_met_is_said(words: list[str], says: str) -> None:
    listening = Listening(Way.POLL, [NOBODY], "/")
    with pytest.raises(ClientFailed, match=says):
        Listeners(listening, Load(1, options=words)).__enter__()


def test_nobody_listens_there() -> None:
    with pytest.raises(ClientFailed, match="Connection refused"):
        Listeners(Listening(Way.JSON, [NOBODY], "/"), Load(3)).__enter__()


def test_a_client_whose_life_is_over_says_so() -> None:
    with Scripted(Way.JSON) as server:
        listeners = Listeners(server.listening(), replace(LOAD, life_s=1))
        with pytest.raises(ClientFailed, match="its life"), listeners:
            listeners.wake(1, lambda: None)


def again(way: Way, before: Sequence[int], after: Sequence[int]) -> tuple[dict[str, int], Back]:
    """All get `before`, are cut off, come back and get `after`; the faults of ids 1 and 2."""
    found: list[Back] = []
    load = replace(LOAD, options=RETURNING, deadline_s=SOON_S)
    with Scripted(way) as server:
        with Listeners(server.listening(), load, may_fault=True) as listeners:

            def send() -> None:
                server.wake(lambda _: said(way, before) if before else [])
                listeners.cut(time.monotonic_ns(), MANY)
                server.wake(lambda _: [None])
                found.append(listeners.back())
                server.wake(lambda number: said(way, after) if number >= MANY else [])

            # Where nobody has all, the client says so; its faults say why.
            with suppress(ClientFailed):
                listeners.wake(1, send, count=2)
        return dict(listeners.faults), found[0]


@pytest.mark.parametrize("way", [Way.JSON, Way.SSE], ids=lambda way: way.value)
def test_who_is_cut_off_comes_back_and_is_owed_what_it_did_not_get(way: Way) -> None:
    faults, back = again(way, [1], [2])
    assert faults == {}
    assert (back.cut, back.refused, back.curve[-1][1]) == (MANY, 0, MANY)
    assert again(way, [], [1, 2])[0] == {}
    assert again(way, [1], [1, 2])[0] == {"repeated": MANY}
    assert again(way, [], [2])[0] == {"lost": MANY}


def test_who_is_told_to_come_later_does_and_is_no_fault() -> None:
    later = answer(b"{}", "429 Too Many Requests\r\nRetry-After: 0")
    load = replace(LOAD, options=RETURNING, deadline_s=SOON_S)
    with Scripted(Way.JSON, later) as server:
        with pytest.raises(ClientFailed, match="not all were parked") as failed:
            Listeners(server.listening(), load).__enter__()
        assert server.requests > MANY
    assert "http_429" not in str(failed.value)


@WAYS
def test_who_reads_no_more_is_judged_no_more(way: Way) -> None:
    deaf = MANY // 4
    with Scripted(way) as server, Listeners(server.listening(), LOAD) as listeners:
        listeners.deafen(deaf)
        woken = listeners.wake(1, lambda: server.wake(lambda _: said(way, [1])))
        assert listeners.end() == {}
    assert woken.woken == MANY - deaf
