"""Connections in any shape: the right answer to the right request, and never a hang."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.testing.eventually import eventually
from services.gateway.http_line import HEAD_BYTES_MAX, PIECE_BYTES
from services.gateway.tests.lines import Answer, Client, cut

HOST = b"host: x\r\n"
AUTH = b"authorization: Bearer a.b.c\r\n"
PARKED = b"GET /v1/channels/one/poll?after=1-1 HTTP/1.1\r\n" + HOST + AUTH + b"\r\n"
AT_ONCE = b"GET /v1/channels/two/poll HTTP/1.1\r\n" + HOST + AUTH + b"\r\n"
TOLD = b"poll one?after=1-1"
POLL = b"/v1/channels/one/poll"


def ok(body: bytes, *, closes: bool = False) -> Answer:
    return Answer(200, body, closes)


def post(body: bytes) -> bytes:
    return b"POST /v1/poll HTTP/1.1\r\n%bcontent-length: %d\r\n\r\n%b" % (HOST, len(body), body)


def chunked(method: bytes, path: bytes, *chunks: bytes) -> bytes:
    head = b"%b %b HTTP/1.1\r\n%btransfer-encoding: chunked\r\n\r\n" % (method, path, HOST)
    return head + b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in (*chunks, b""))


# Each request, and the body of its answer.
REQUESTS = {
    "a poll that parks": (PARKED, TOLD),
    "a poll that is answered at once": (AT_ONCE, b"poll two?"),
    "a poll with an empty body": (
        b"GET /v1/channels/x/poll HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
        b"poll x?",
    ),
    "a poll in absolute form": (
        b"GET http://edge:80/v1/channels/x/poll?wait=1 HTTP/1.1\r\n\r\n",
        b"poll x?wait=1",
    ),
    "another route": (b"GET /v1/me HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /v1/me "),
    "a body that looks like a poll": (post(PARKED), b"POST /v1/poll " + PARKED),
    "chunks that look like a poll": (
        chunked(b"POST", b"/v1/x", PARKED, AT_ONCE),
        b"POST /v1/x " + PARKED + AT_ONCE,
    ),
    "a poll with chunks": (chunked(b"GET", POLL, AT_ONCE), b"GET %b %b" % (POLL, AT_ONCE)),
    "a poll with a body": (
        b"GET %b HTTP/1.1\r\ncontent-length: 3\r\n\r\nGET" % POLL,
        b"GET %b GET" % POLL,
    ),
    "a poll with escapes": (
        b"GET /v1/channels/%6fne/poll HTTP/1.1\r\n\r\n",
        b"GET /v1/channels/%6fne/poll ",
    ),
    "a deeper path": (b"GET /v1/channels/a/b/poll HTTP/1.1\r\n\r\n", b"GET /v1/channels/a/b/poll "),
    "a longer path": (b"GET %b/ HTTP/1.1\r\n\r\n" % POLL, b"GET %b/ " % POLL),
    "another method": (b"DELETE %b HTTP/1.1\r\n\r\n" % POLL, b"DELETE %b " % POLL),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_is_answered_alike_wherever_it_is_cut(name: str) -> None:
    data, body = REQUESTS[name]
    for place in range(len(data)):
        client = Client()
        await client.send(*cut(data + AT_ONCE, [place]))
        assert await client.finish() == [ok(body), ok(b"poll two?")], place
        client = Client()
        await client.send(*cut(PARKED + data, [len(PARKED) + place]))
        assert await client.finish() == [ok(TOLD), ok(body)], place


@settings(deadline=None, max_examples=150)
@given(
    names=st.lists(st.sampled_from(sorted(REQUESTS)), min_size=1, max_size=30),
    places=st.lists(st.integers(0, 1 << 16), max_size=12),
)
def test_any_mix_in_any_pieces_is_answered_in_its_order(
    names: list[str], places: list[int]
) -> None:
    async def told() -> list[Answer]:
        client = Client()
        await client.send(*cut(b"".join(REQUESTS[name][0] for name in names), places))
        found = await client.finish()
        client.hang_up()
        assert (client.lane.parked, client.state.connections) == ([], set())
        return found

    assert asyncio.run(told()) == [ok(REQUESTS[name][1]) for name in names]


EXPECTING = b"GET %b HTTP/1.1\r\nexpect: 100-continue\r\n\r\n" % POLL
NO_POLLS = {
    "HEAD": b"HEAD %b HTTP/1.1\r\n\r\n" % POLL,
    "Expect": EXPECTING,
}


@pytest.mark.parametrize("name", NO_POLLS)
async def test_what_is_more_than_a_poll_is_left_to_the_app(name: str) -> None:
    client = Client()
    await client.send(NO_POLLS[name])
    assert client.lane.asked == []
    assert b"HTTP/1.1 200 OK\r\n" in client.line.written


async def test_an_offer_of_another_protocol_is_declined_by_the_answer() -> None:
    client = Client()
    offer = b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: x\r\n"
    await client.send(b"GET %b?after=1-1 HTTP/1.1\r\n%b%b\r\n" % (POLL, offer, HOST))
    await client.send(AT_ONCE)
    assert await client.finish() == [ok(TOLD), ok(b"poll two?")]


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.0\r\n", b"HTTP/1.1\r\nconnection: close\r\n"],
    ids=["an old client", "close"],
)
async def test_who_wants_no_more_than_one_answer_gets_one(head: bytes) -> None:
    client = Client()
    await client.send(b"GET %b?after=1-1 %b%b\r\n" % (POLL, head, HOST) + AT_ONCE)
    assert await client.finish() == [ok(TOLD, closes=True)]
    assert client.line.is_closed


async def test_what_follows_the_last_answer_of_a_connection_is_not_done() -> None:
    client = Client()
    client.lane.is_draining = True
    client.protocol.data_received(AT_ONCE + post(b"x"))
    assert client.state.tasks == set()
    assert await client.finish() == [ok(b"poll two?", closes=True)]


async def test_an_upgrade_behind_a_parked_poll_is_refused_after_its_answer() -> None:
    client = Client()
    upgrade = b"connection: upgrade\r\nupgrade: websocket\r\n\r\n"
    await client.send(PARKED + b"GET /v1/ws HTTP/1.1\r\n" + upgrade)
    assert client.line.written == b""
    first, second = await client.finish()
    assert (first, second.status, second.closes) == (ok(TOLD), 400, True)


async def test_while_all_are_moved_an_answer_ends_its_connection() -> None:
    client = Client()
    await client.send(PARKED)
    client.lane.is_draining = True
    assert await client.finish() == [ok(TOLD, closes=True)]
    assert client.line.is_closed


async def test_an_answer_is_one_write_and_all_who_get_it_share_its_bytes() -> None:
    clients = [Client() for _ in range(3)]
    for client in clients:
        client.protocol.shared = clients[0].protocol.shared  # type: ignore[misc]
        client.protocol.server_state = clients[0].state
        await client.send(PARKED)
        await client.finish()
    assert [client.line.writes for client in clients] == [1, 1, 1]
    shared, begin = clients[0].protocol.shared, clients[0].state.default_headers
    assert shared.of(TOLD, begin) is shared.of(bytes(bytearray(TOLD)), begin)


SMUGGLED = b"GET /v1/me HTTP/1.1\r\n\r\n"
GET = b"GET %b?after=1-1 HTTP/1.1\r\n" % POLL
RUBBISH = {
    "length and chunks": GET + b"content-length: 30\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": GET + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": GET + b"content-length: 0\r\ncontent-length: 24\r\n\r\n",
    "a length that is none": GET + b"content-length: +1\r\n\r\n",
    "two codings": GET + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a strange coding": GET + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a bare CR": GET + b"x: a\rauthorization: b\r\n\r\n",
    "a bare LF": GET.replace(b"\r\n", b"\n") + b"x: a\n\n",
    "a space before the colon": GET + b"content-length : 24\r\n\r\n",
    "a NUL": GET + b"x: \x00\r\n\r\n",
    "a line that is none": GET + b"nothing\r\n\r\n",
    "an unknown method": b"G ET / HTTP/1.1\r\n\r\n",
    "an older version": b"GET / HTTP/0.1\r\n\r\n",
    "a preface of another": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a broken chunk": b"POST /v1/x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "a chunk that is too long": b"POST /v1/x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab",
}


@pytest.mark.parametrize("name", RUBBISH)
@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize("before", [1, 3])
async def test_what_cannot_be_read_is_refused_in_its_turn(
    name: str, pieces: int, before: int
) -> None:
    data = PARKED * before + RUBBISH[name] + SMUGGLED
    client = Client()
    await client.send(*cut(data, range(0, len(data), -(-len(data) // pieces))))
    assert client.line.written == b""
    found = await client.finish()
    assert found[:before] == [ok(TOLD)] * before
    assert [answer[::2] for answer in found[before:]] == [(400, True)]
    assert client.line.is_closed
    await client.turn()


async def test_an_answer_that_has_begun_is_cut_when_its_request_cannot_be_read_on() -> None:
    client = Client()
    await client.send(chunked(b"POST", b"/early", b"a")[:-5], b"zz\r\n")
    assert client.line.is_closed
    assert client.line.written.count(b"HTTP/1.1 ") == 1
    client.hang_up()
    await client.turn()


@pytest.mark.parametrize("name", RUBBISH)
async def test_what_cannot_be_read_at_first_is_refused_at_once(name: str) -> None:
    client = Client()
    await client.send(RUBBISH[name] + SMUGGLED)
    (answer,) = await client.finish()
    assert (answer.status, answer.closes, client.line.is_closed) == (400, True, True)


@settings(deadline=None, max_examples=300)
@given(
    data=st.lists(
        st.one_of(
            st.sampled_from([*(each[0] for each in REQUESTS.values()), *RUBBISH.values(), GET]),
            st.binary(max_size=20),
            st.sampled_from([b"\r\n", b"\n", b"\r", b": ", b" a: b\r\n", b"0\r\n\r\n"]),
        ),
        max_size=12,
    ).map(b"".join),
    places=st.lists(st.integers(0, 1 << 16), max_size=6),
)
def test_whatever_comes_nothing_hangs_and_nobody_stays(data: bytes, places: list[int]) -> None:
    async def lived() -> None:
        client = Client()
        await client.send(*cut(data, places))
        # Whole answers, each in one piece; after the last one nothing is written.
        found = [each for each in await client.finish() if each.status not in {200, 400}]
        assert found == []
        client.hang_up()
        await client.turn()
        assert (client.lane.parked, client.state.connections) == ([], set())

    asyncio.run(lived())


async def test_a_head_that_is_folded_means_what_it_says_unfolded() -> None:
    client = Client()
    await client.send(GET + b"x: a\r\n b\r\nauthorization: Bearer\r\n a.b.c\r\n\r\n")
    found = await client.finish()
    if found == [ok(TOLD)]:
        (asked,) = client.lane.asked
        assert (asked.authorization or "").split() == ["Bearer", "a.b.c"]
    else:
        assert [answer[::2] for answer in found] == [(400, True)]


@pytest.mark.parametrize("before", [b"", PARKED], ids=["at first", "behind a parked one"])
@pytest.mark.parametrize("piece", [700, 1 << 20])
async def test_a_head_has_its_size(before: bytes, piece: int) -> None:
    for size, status in ((HEAD_BYTES_MAX, 200), (HEAD_BYTES_MAX + PIECE_BYTES + 1, 431)):
        head = b"GET /v1/me HTTP/1.1\r\nx: "
        data = head + b"a" * (size - len(head) - 4) + b"\r\n\r\n"
        client = Client()
        await client.send(before, *cut(data, range(0, len(data), piece)))
        *others, answer = await client.finish()
        assert (len(others), answer.status) == (bool(before), status)
        assert client.line.is_closed == (status == 431)


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET /", PARKED[:-1]])
async def test_a_head_has_its_time(sent: bytes) -> None:
    client = Client(head_s=0.05)
    await client.send(sent)
    await eventually(lambda: client.line.is_closed, within_s=5, what="it is closed")
    found = await client.finish()
    assert [each.status for each in found] == ([408] if sent.strip() else [])


async def test_who_is_parked_has_all_the_time() -> None:
    client = Client(head_s=0.01)
    await client.send(PARKED)
    other = Client(head_s=0.02)
    await eventually(lambda: other.line.is_closed, within_s=5, what="the other's time is over")
    assert await client.finish() == [ok(TOLD)]
    client.hang_up()


async def test_what_follows_a_parked_poll_is_kept_as_it_came_and_then_nothing_more_is_read() -> (
    None
):
    client = Client()
    count = 2_000
    await client.send(PARKED + AT_ONCE * count)
    assert client.line.is_paused
    assert len(client.protocol.pipeline) <= PIECE_BYTES // len(AT_ONCE) + 1
    found: list[Answer] = []
    while len(found) < count + 1:
        before = len(found)
        found = await client.finish()
        assert len(found) > before
    assert found == [ok(TOLD), *[ok(b"poll two?")] * count]
    assert not client.line.is_paused


async def test_who_takes_no_answers_gets_no_more_until_they_are_taken() -> None:
    client = Client()
    client.protocol.pause_writing()
    await client.send(AT_ONCE + AT_ONCE)
    assert client.line.written == b""
    client.protocol.resume_writing()
    assert await client.finish() == [ok(b"poll two?")] * 2


@pytest.mark.parametrize("fault", [None, ConnectionResetError()], ids=["closed", "reset"])
async def test_who_goes_is_parked_no_more_and_leaves_no_timer(fault: Exception | None) -> None:
    client = Client()
    await client.send(AT_ONCE + PARKED + AT_ONCE + PARKED)
    client.line.is_closed = True
    client.protocol.connection_lost(fault)
    await client.turn()
    assert (client.lane.parked, client.lane.went) == ([], 1)
    assert not has_timer(client)
    assert client.state.connections == set()


async def test_a_reset_of_an_idle_connection_leaves_no_timer() -> None:
    client = Client()
    await client.send(AT_ONCE)
    client.line.is_closed = True
    client.protocol.connection_lost(ConnectionResetError())
    assert not has_timer(client)


async def test_of_headers_that_come_twice_those_count_that_counted_in_the_app() -> None:
    client = Client()
    twice = b"authorization: \r\nauthorization: b\r\nx-rostrum-trace: c\r\nx-rostrum-trace: d\r\n"
    await client.send(GET + twice + b"\r\n")
    (asked,) = client.lane.asked
    assert (asked.authorization, asked.trace_id) == ("", "d")


async def test_an_idle_connection_is_closed_by_the_keep_alive_timer_and_a_parked_one_is_not() -> (
    None
):
    client = Client()
    await client.send(AT_ONCE)
    assert has_timer(client)
    await client.send(AT_ONCE + PARKED)
    assert not has_timer(client)
    client.hang_up()


def has_timer(client: Client) -> bool:
    return client.protocol.timeout_keep_alive_task is not None
