"""Polls of one connection, one after the other: what is known of the one before is used for the
same person, and for nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.testing.eventually import eventually
from libs.testing.served import served
from libs.wire.tokens import LIFE_S_MAX
from services.gateway.http_line import PIECE_BYTES
from services.gateway.http_polled import LINE_BYTES_MAX
from services.gateway.tests.edge import CHANNEL, WITHIN_S, Edge, edge
from services.gateway.tests.lines import Answer, Client
from services.gateway.tests.test_http_poll import REQUESTS

WHO = (b"ann", b"bob")


def poll(
    who: bytes = b"ann", cursor: int = 1, *, version: bytes = b"1.1", more: bytes = b""
) -> bytes:
    head = b"GET /v1/channels/one/poll?after=1-%d HTTP/%b\r\nhost: x\r\nauthorization: %b\r\n%b\r\n"
    return head % (cursor, version, who, more)


async def told(client: Client, *requests: bytes) -> list[Answer]:
    """The answers to requests that come one after the other."""
    found: list[Answer] = []
    for each in requests:
        await client.send(each)
        found = await client.finish()
    return found


async def test_who_polls_again_is_known_by_the_head() -> None:
    client = Client()
    answers = await told(client, *(poll(cursor=cursor) for cursor in range(1, 5)))
    assert [each.body for each in answers] == [b"poll one?after=1-%d" % n for n in range(1, 5)]
    assert client.lane.again == 3


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(WHO), st.integers(1, 3)), min_size=1, max_size=12))
def test_each_poll_is_of_who_sent_it(sent: list[tuple[bytes, int]]) -> None:
    """Also when a proxy has many people on one connection."""

    async def asked() -> list[tuple[str | None, bytes]]:
        client = Client()
        await told(client, *(poll(who, cursor) for who, cursor in sent))
        return [(each.authorization, each.query) for each in client.lane.asked]

    assert asyncio.run(asked()) == [(who.decode(), b"after=1-%d" % n) for who, n in sent]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from([*REQUESTS, "again"]), min_size=1, max_size=20))
def test_whatever_comes_between_polls_is_answered_as_ever(names: list[str]) -> None:
    known = {**REQUESTS, "again": (poll(), b"poll one?after=1-1")}
    expected = [Answer(200, known[name][1], closes=False) for name in names]
    sent = (known[name][0] for name in names)

    async def answered() -> list[Answer]:
        return await told(Client(), *sent)

    assert asyncio.run(answered()) == expected


LONG = b"x-long: %b\r\n" % (b"y" * PIECE_BYTES)
LINED = poll().replace(b" HTTP", b"&x=%b HTTP" % (b"y" * LINE_BYTES_MAX))
OTHERWISE = {
    "one that ends its connection": [poll(more=b"connection: close\r\n")],
    "an old version": [poll(version=b"1.0")],
    "one with a name of its own": [poll(more=b"x-rostrum-trace: %b\r\n" % (b"1" * 32))] * 2,
    "a long one": [poll(more=LONG)] * 2,
    "one with a long line": [LINED] * 2,
    "one after an empty line": [b"\r\n" + poll()] * 2,
    "another line": [poll(), poll().replace(b"/poll?", b"/pol%6c?")],
    "another method": [poll(), poll().replace(b"GET", b"PUT")],
    "another version": [poll(), poll(version=b"1.0")],
    "half of one": [poll(), poll()[:-3]],
    "one and a half": [poll(), poll() + b"GET"],
    "a header more": [poll(), poll(more=b"x: y\r\n")],
    "a body": [poll(), poll(more=b"content-length: 1\r\n") + b"G"],
}


@pytest.mark.parametrize("name", OTHERWISE)
async def test_what_is_not_the_same_is_parsed(name: str) -> None:
    client = Client()
    await told(client, *OTHERWISE[name])
    assert client.lane.again == 0


async def test_an_empty_line_before_a_poll_that_parks_does_not_end_it() -> None:
    """It begins the time that a head has."""
    client = Client()
    await told(client, poll())
    await client.send(b"\r\n")
    assert client.protocol._timer is not None
    await client.send(poll(cursor=2))
    assert client.lane.again == 1
    assert client.protocol._timer is None


async def test_two_at_once_are_two_polls() -> None:
    client = Client()
    answers = await told(client, poll(), poll(cursor=2) + poll(cursor=3))
    assert [each.body[-3:] for each in answers] == [b"1-1", b"1-2", b"1-3"]


async def test_a_head_in_pieces_is_not_taken_for_the_same() -> None:
    """Half a head is there already when something comes that looks like a whole one."""
    client = Client()
    await told(client, poll())
    await client.send(b"GET /v1/me HTTP/1.1\r\nx: ", poll())
    assert client.lane.again == 0


async def test_who_counts_no_more_is_told_so_by_the_lane() -> None:
    client = Client()
    await told(client, poll())
    client.lane.holds = False
    await told(client, poll(cursor=2))
    assert [each.query for each in client.lane.asked] == [b"after=1-1", b"after=1-2"]
    assert client.lane.again == 0


async def test_who_takes_nothing_is_not_answered_again() -> None:
    client = Client()
    await told(client, poll())
    client.protocol.pause_writing()
    await client.send(poll(cursor=2))
    assert len(client.lane.asked) == 1
    client.protocol.resume_writing()
    assert len(client.lane.asked) == 2


# Of a connection that others may share.
SHARED = b"x-forwarded-for: 192.0.2.1\r\n"


async def woken(*requests: bytes, is_busy: bool = True) -> Client:
    """A client that was told as one of very many, of whom some are still to be told."""
    client = Client()
    for each in requests:
        await client.send(each)
    client.lane.is_busy = is_busy
    client.lane.wake()
    await client.turn()
    return client


async def test_one_that_has_its_connection_for_itself_is_read_on_when_its_place_is_given_away() -> (
    None
):
    client = await woken(poll())
    await client.send(poll(cursor=2))
    assert client.line.is_paused
    assert len(client.lane.asked) == 1
    client.lane.let_in()
    answers = await client.finish()
    assert [each.body[-3:] for each in answers] == [b"1-1", b"1-2"]
    assert client.lane.again == 1


async def test_it_is_read_as_ever_where_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    monkeypatch.setattr(client.lane, "is_behind", False)
    await client.send(poll())
    client.lane.wake()
    assert not client.line.is_paused


async def test_it_is_for_itself_as_long_as_it_polls_the_same() -> None:
    client = Client()
    await told(client, poll(), poll(cursor=2))
    await client.send(poll(cursor=3))
    client.lane.wake()
    assert client.line.is_paused
    client.lane.let_in()
    await told(client, REQUESTS["another route"][0])
    await client.send(poll(cursor=4))
    client.lane.wake()
    assert not client.line.is_paused


@pytest.mark.parametrize(
    "header", [b"X-Forwarded-For: x", b"forwarded: for=x", b"Via: 1.1 x", b"x-forwarded-proto: x"]
)
async def test_what_a_proxy_sends_is_for_anybody(header: bytes) -> None:
    for more in (header + b"\r\n", b"a: b\r\n" + header + b"\r\n"):
        client = await woken(poll(more=more))
        assert not client.line.is_paused


async def test_one_for_itself_that_goes_is_let_be() -> None:
    client = await woken(poll())
    client.hang_up()
    client.lane.let_in()
    assert client.line.is_paused
    assert len(client.protocol.idle) == 0


async def test_one_of_very_many_polls_on_when_all_are_told() -> None:
    client = await woken(poll(more=SHARED))
    await client.send(poll(cursor=2, more=SHARED))
    assert (len(client.lane.asked), client.lane.again) == (1, 0)
    client.lane.let_in()
    assert (len(client.lane.asked), client.lane.again) == (2, 1)


async def test_when_all_are_told_nobody_waits() -> None:
    client = await woken(poll(more=SHARED), is_busy=False)
    await client.send(poll(cursor=2, more=SHARED))
    assert (len(client.lane.asked), client.lane.late) == (2, [])


@pytest.mark.parametrize("name", ["another route", "a body that looks like a poll"])
async def test_what_is_no_poll_does_not_wait_for_others(name: str) -> None:
    client = await woken(poll(more=SHARED))
    request, body = REQUESTS[name]
    await client.send(request)
    assert body in client.line.written


async def test_what_comes_behind_one_that_waits_comes_after_it() -> None:
    client = await woken(poll(more=SHARED))
    second, third = poll(cursor=2, more=SHARED), poll(cursor=3, more=SHARED)
    await client.send(second, third[:20], third[20:], b"GET ")
    client.lane.let_in()
    answers = await client.finish()
    assert [each.body[-3:] for each in answers] == [b"1-1", b"1-2", b"1-3"]
    assert not client.line.is_paused


async def test_half_a_poll_that_waited_is_read_on() -> None:
    client = await woken(poll(more=SHARED))
    second = poll(cursor=2, more=SHARED)
    await client.send(second[:70], second[70:90])
    client.lane.let_in()
    await client.send(second[90:])
    assert [each.body[-3:] for each in await client.finish()] == [b"1-1", b"1-2"]


async def test_one_of_very_many_whose_connection_ends_with_the_answer_is_closed() -> None:
    client = await woken(poll(more=b"connection: close\r\n"))
    assert client.line.is_closed


async def test_one_of_very_many_that_has_said_more_is_answered_in_its_order() -> None:
    client = await woken(poll(more=SHARED) + poll(cursor=2, more=SHARED))
    assert [each.body[-3:] for each in await client.finish()] == [b"1-1", b"1-2"]


async def test_one_that_waits_and_cannot_go_on_is_cut_and_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = await woken(poll(more=SHARED))
    await client.send(poll(cursor=2, more=SHARED))
    monkeypatch.setattr(client.lane, "take_again", None)
    client.lane.let_in()
    assert client.line.is_closed


async def test_one_that_waits_and_goes_is_let_be() -> None:
    client = await woken(poll(more=SHARED))
    await client.send(poll(cursor=2, more=SHARED))
    client.hang_up()
    client.lane.let_in()
    assert len(client.lane.asked) == 1


class Proxied:
    """Polls a gateway over one connection, as whoever is named."""

    def __init__(
        self, it: Edge, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._it = it
        self._reader = reader
        self._writer = writer
        self._bearers: dict[str, str] = {}

    async def poll(self, user: str, after: int = 9) -> bytes:
        """Status and body."""
        bearer = self._bearers.setdefault(user, self._it.bearer(user)["authorization"])
        line = f"GET /v1/channels/{CHANNEL}/poll?after=1-{after}&wait=0 HTTP/1.1"
        self._writer.write(f"{line}\r\nhost: x\r\nauthorization: {bearer}\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return head[9:12] + await self._reader.readexactly(length)


@asynccontextmanager
async def proxied(**settings: Any) -> AsyncIterator[tuple[Edge, Proxied]]:
    async with edge(**settings) as it, served(it.running.app, http=it.running.http) as address:
        it.channel()
        at = urlsplit(address)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        yield it, Proxied(it, reader, writer)
        writer.close()


async def test_on_a_connection_that_is_shared_nobody_reads_as_somebody_else() -> None:
    async with proxied() as (it, link):
        it.members.refusals["bob", CHANNEL] = "banned"
        for user in ("ann", "ann", "bob", "bob", "ann", "bob"):
            told = await link.poll(user)
            assert (told[:3], b'"id":10' in told) == (
                (b"200", True) if user == "ann" else (b"403", False)
            )


async def test_a_session_that_ended_polls_no_more() -> None:
    async with proxied() as (it, link):
        assert [(await link.poll("ann"))[:3] for _ in range(2)] == [b"200"] * 2
        await it.revoke("s-ann")

        async def refused() -> bool:
            return (await link.poll("ann")).startswith(b"401")

        await eventually(refused, within_s=WITHIN_S, what="it is refused")


async def test_a_token_that_expires_polls_no_more() -> None:
    async with proxied() as (it, link):
        assert [(await link.poll("ann"))[:3] for _ in range(2)] == [b"200"] * 2
        it.clock.advance(LIFE_S_MAX + 1)
        assert (await link.poll("ann"))[:3] == b"401"
