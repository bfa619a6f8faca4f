"""Bodies on a connection: what is theirs is not taken for a request, and they end in time."""

import asyncio
from collections.abc import Callable

import pytest

from libs.testing.eventually import eventually
from services.gateway.http_line import HEAD_BYTES_MAX, PIECE_BYTES
from services.gateway.tests.lines import Answer, Client, cut

POLL = b"GET /v1/channels/two/poll HTTP/1.1\r\n\r\n"
PARKED = b"GET /v1/channels/one/poll?after=1-1 HTTP/1.1\r\n\r\n"
POLLED, TOLD = Answer(200, b"poll two?", False), Answer(200, b"poll one?after=1-1", False)
OFFERS = {
    "another protocol": b"connection: upgrade\r\nupgrade: h2c\r\n",
    "a WebSocket elsewhere": b"connection: upgrade\r\nupgrade: websocket\r\n",
}
WITH_BODY = {
    "POST, a length": (b"POST /v1/x", b"content-length: %d\r\n\r\n" % len(POLL) + POLL),
    "POST, chunks": (
        b"POST /v1/x",
        b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(POLL), POLL),
    ),
    "a poll": (b"GET /v1/channels/a/poll", b"content-length: %d\r\n\r\n" % len(POLL) + POLL),
    "a WebSocket of ours": (b"GET /v1/ws", b"content-length: %d\r\n\r\n" % len(POLL) + POLL),
}
CHUNKED = b"POST /v1/x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK, LAST = b"1\r\na\r\n", b"0\r\n\r\n"


def places(data: bytes) -> range:
    return range(0, len(data), 3)


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_body_of_who_offers_an_upgrade_is_never_a_request(name: str, offer: str) -> None:
    """Wherever it is cut. A proxy that passes offers on would take our answer for another's."""
    begin, rest = WITH_BODY[name]
    data = begin + b" HTTP/1.1\r\n" + OFFERS[offer] + rest
    for place in places(data):
        client = Client()
        await client.send(*cut(data, [place]))
        (answer,) = await client.finish()
        assert (answer.status, answer.closes, client.line.is_closed) == (400, True, True), place
        assert client.lane.asked == []


@pytest.mark.parametrize("offer", OFFERS)
async def test_what_follows_an_offer_that_is_declined_is_answered_wherever_it_is_cut(
    offer: str,
) -> None:
    data = b"GET /v1/x HTTP/1.1\r\ncontent-length: 0\r\n" + OFFERS[offer] + b"\r\n" + POLL + PARKED
    for place in places(data):
        client = Client()
        await client.send(*cut(data, [place]))
        assert await client.finish() == [Answer(200, b"GET /v1/x ", False), POLLED, TOLD], place


@pytest.mark.parametrize(
    "endless",
    [
        lambda size: CHUNK + b"1;" + b"x" * size + b"\r\na\r\n" + LAST,
        lambda size: CHUNK + b"0\r\nx: " + b"x" * size + b"\r\n\r\n",
        lambda size: CHUNK + b"0\r\n" + b"x: x\r\n" * (size // 6) + b"\r\n",
    ],
    ids=["an extension", "a trailer", "trailers"],
)
async def test_what_a_body_brings_beside_its_bytes_has_the_size_of_a_head(
    endless: Callable[[int], bytes],
) -> None:
    for size, status in ((HEAD_BYTES_MAX - 100, 200), (HEAD_BYTES_MAX + 2 * PIECE_BYTES, 431)):
        client = Client()
        await client.send(*cut(CHUNKED + endless(size), range(0, size, 1_000)))
        (answer,) = await client.finish()
        assert (answer.status, client.line.is_closed) == (status, status == 431)
        client.hang_up()
        await client.turn()


async def test_a_body_of_many_chunks_is_as_long_as_it_likes() -> None:
    client = Client()
    count = HEAD_BYTES_MAX
    await client.send(CHUNKED + CHUNK * count + LAST)
    assert await client.finish() == [Answer(200, b"POST /v1/x " + b"a" * count, False)]


async def test_trailers_are_no_headers() -> None:
    client = Client()
    await client.send(CHUNKED + CHUNK)
    headers = client.protocol.cycle.scope["headers"]
    before = list(headers)
    await client.send(b"0\r\nauthorization: Bearer a.b.c\r\n\r\n" + POLL)
    assert await client.finish() == [Answer(200, b"POST /v1/x a", False), POLLED]
    assert headers == before


@pytest.mark.parametrize("begun", [b"", b"a"])
async def test_a_body_has_its_time(begun: bytes) -> None:
    client = Client(body_s=0.05)
    await client.send(b"POST /v1/x HTTP/1.1\r\ncontent-length: 3\r\n\r\n", begun)
    await eventually(lambda: client.line.is_closed, within_s=5, what="it is closed")
    assert [each[::2] for each in await client.finish()] == [(408, True)]
    client.hang_up()
    await client.turn()


async def test_a_body_that_we_do_not_read_is_not_late() -> None:
    """Behind one that is parked; its time is over before that is answered."""
    client, other = Client(body_s=0.01), Client(body_s=0.05)
    post = b"POST /v1/x HTTP/1.1\r\ncontent-length: 3\r\n\r\n"
    await other.send(post)
    await client.send(PARKED + post + b"a")
    assert client.line.is_paused
    await eventually(lambda: other.line.is_closed, within_s=5, what="the other's time is over")
    client.lane.answer()
    await client.send(b"bc")
    assert await client.finish() == [TOLD, Answer(200, b"POST /v1/x abc", False)]
    other.hang_up()
    client.hang_up()
    await client.turn()


async def test_the_time_of_a_body_is_not_that_of_the_next_request() -> None:
    client = Client(body_s=0.05)
    await client.send(b"POST /v1/x HTTP/1.1\r\ncontent-length: 3\r\n\r\na", b"bc" + PARKED)
    other = Client(body_s=0.1)
    await other.send(b"POST /v1/x HTTP/1.1\r\ncontent-length: 3\r\n\r\na")
    await eventually(lambda: other.line.is_closed, within_s=5, what="the other's time is over")
    assert await client.finish() == [Answer(200, b"POST /v1/x abc", False), TOLD]
    other.hang_up()
    await other.turn()


async def test_of_what_is_pipelined_no_more_is_kept_than_was_read_at_once() -> None:
    """However many of them are answered meanwhile, and whatever the kernel has."""
    client = Client()
    count, piece = 3_000, 4 * PIECE_BYTES
    client.line.coming += POLL * count
    most = 0
    while client.line.coming or client.protocol._kept:
        data = bytes(client.line.coming[:piece])
        if not client.line.is_paused and data:
            del client.line.coming[:piece]
            client.protocol.data_received(data)
        most = max(most, len(client.protocol._kept))
        await asyncio.sleep(0)
    assert await client.finish() == [POLLED] * count
    assert 0 < most <= piece


async def test_what_cannot_be_read_after_the_last_answer_is_not_answered() -> None:
    client = Client()
    client.lane.is_draining = True
    await client.send(POLL + b"no request")
    (answer,) = await client.finish()
    assert answer == POLLED._replace(closes=True)
