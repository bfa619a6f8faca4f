"""A connection that becomes a WebSocket: what it costs, what it waits for, and that it ends."""

import asyncio
from collections.abc import Callable

import pytest
from uvicorn.server import ServerState

from libs.testing.eventually import eventually
from libs.wire import streams
from services.gateway import ws_line
from services.gateway.http_poll import PollHTTP
from services.gateway.tests.edge import CHANNEL, WITHIN_S, Edge, edge
from services.gateway.tests.lines import Line
from services.gateway.tests.rawsocket import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    Ended,
    Heard,
    RawSocket,
    closing,
    frame,
    raw,
    request,
    welcome,
)
from services.gateway.ws_frames import POLICY
from services.gateway.ws_handshake import handshake_of
from services.gateway.ws_line import CONTROLS_MAX, TURN, LeanWS

SOON_S = 0.05
PINGED = frame(TEXT, b'{"type":"ping","ref":7}')
PONGED = Heard(TEXT, b'{"type":"pong","ref":7}')


def hello(it: Edge, user: str = "ann") -> bytes:
    return frame(TEXT, b'{"type":"hello","token":"%b"}' % it.session.token(user).encode())


def watch(cursor: str) -> bytes:
    said = f'{{"type":"watch","cursors":{{"{CHANNEL}":"{cursor}"}}}}'
    return frame(TEXT, said.encode())


def working() -> list[str]:
    """Tasks that are about somebody who listens."""
    names = (task.get_name() for task in asyncio.all_tasks())
    return [name for name in names if name in ("gateway.socket", "gateway.watch", "gateway.events")]


async def opened(link: RawSocket) -> None:
    assert (await link.head()).startswith(b"HTTP/1.1 101 ")


async def has_no_task() -> None:
    """Nothing is about somebody who listens any more."""

    def is_gone() -> bool:
        return not working()

    await eventually(is_gone, within_s=WITHIN_S, what="no task is left")


async def test_what_comes_in_one_piece_with_the_handshake_is_heard() -> None:
    async with edge() as it, raw(it) as link:
        await link.send(request() + hello(it) + PINGED)
        await opened(link)
        assert b'"welcome"' in (await link.hear()).payload
        assert await link.hear() == PONGED


async def test_what_is_said_while_a_token_is_asked_about_waits_for_the_answer() -> None:
    """Of the header and of hello."""
    async with edge() as it, raw(it) as link:
        bearer = it.bearer("bob")["authorization"]
        await link.send(request(authorization=bearer) + frame(TEXT, b'{"type":"hello"}') + PINGED)
        await opened(link)
        assert b'"welcome"' in (await link.hear()).payload
        assert await link.hear() == PONGED


async def test_a_header_that_does_not_hold_is_refused_before_the_socket_opens() -> None:
    async with edge() as it, raw(it) as link:
        await link.send(request(authorization="Bearer a.b.c"))
        head = await link.head()
        assert head.startswith(b"HTTP/1.1 401 ")
        assert b'"code":"token_invalid"' in head
        with pytest.raises(EOFError):
            await link.hear()


async def test_who_listens_has_no_task() -> None:
    async with edge() as it:
        it.channel(head=10)
        async with welcome(it) as link:
            await link.send(watch("1-8"))
            assert [b'"entries"' in (await link.hear()).payload for _ in range(2)] == [False, True]
            await has_no_task()
            await it.relay.append(CHANNEL)
            assert b'"id":11' in (await link.hear()).payload
            assert working() == []


async def test_who_is_remembered_is_seated_within_the_call() -> None:
    """The channel is known by then, and so is the right to read it."""
    async with edge() as it:
        it.channel(head=10)
        async with welcome(it) as first:
            await first.send(watch("1-10"))
            assert b'"watched"' in (await first.hear()).payload
            it.members.goes_on.clear()
            async with raw(it) as second:
                await second.send(request() + hello(it) + watch("1-7"))
                await opened(second)
                kinds = [(await second.hear()).payload.split(b'"')[3] for _ in range(3)]
                assert kinds == [b"welcome", b"watched", b"entries"]
            it.members.goes_on.set()


async def test_who_goes_before_the_hello_gives_back_its_seat() -> None:
    async with edge(connections_address_max=1) as it:
        for _ in range(3):
            async with raw(it) as link:
                await link.send(request())
                await opened(link)
                link.writer.transport.abort()


async def test_who_says_nothing_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ws_line, "HELLO_S", SOON_S)
    async with edge() as it, raw(it) as link:
        await link.send(request())
        await opened(link)
        assert await link.ended() == Ended(streams.CLOSE_NO_HELLO)


@pytest.mark.parametrize(
    "last_words",
    [lambda it: frame(TEXT, b'{"type":"who"}'), lambda it: frame(TEXT, reserved=7)],
    ids=["a close of ours", "a fault"],
)
async def test_who_does_not_answer_a_close_is_cut(
    monkeypatch: pytest.MonkeyPatch, last_words: Callable[[Edge], bytes]
) -> None:
    monkeypatch.setattr(ws_line, "CLOSE_S", SOON_S)
    async with edge() as it, welcome(it) as link:
        await link.send(last_words(it))
        async with asyncio.timeout(WITHIN_S):
            assert await link.reader.read()
        assert link.reader.at_eof()


async def test_more_control_frames_than_anybody_needs_end_with_1008() -> None:
    async with edge() as it, welcome(it) as link:
        # Twice as many: they may come in two seconds.
        await link.send(frame(PONG) * (2 * CONTROLS_MAX + 1))
        assert await link.ended() == Ended(POLICY)


async def test_pings_of_who_does_not_read_are_answered_as_far_as_there_is_room() -> None:
    """Before the hello as well, when nothing else bounds what is written."""
    payload = bytes(125)
    async with edge() as it, raw(it) as link:
        await link.send(request())
        await opened(link)
        await link.send(frame(PING, payload) * (CONTROLS_MAX // 2))
        answered = 0
        await link.send(hello(it))
        while (heard := await link.hear()).opcode == PONG:
            assert heard.payload == payload
            answered += 1
        assert 0 < answered <= CONTROLS_MAX // 2
        assert b'"welcome"' in heard.payload


async def test_thousands_of_frames_at_once_let_others_have_their_turn() -> None:
    """A poll is answered long before all of them are heard."""
    async with edge() as it, welcome(it) as link:
        it.channel(head=10)
        count = 5_000
        await link.send(PINGED * count)
        assert (await it.poll(after="1-8")).status_code == 200
        for _ in range(count):
            assert await link.hear() == PONGED


async def test_a_close_as_the_last_one_of_a_turn_is_a_close(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(frame(PONG) * (TURN - 1) + closing(1000))
        assert await link.ended() == Ended(1000)
    assert not caplog.records


async def test_what_comes_after_the_close_is_not_looked_at() -> None:
    """It is no protocol: nothing is said about that after the answer to the close."""
    async with edge() as it:
        socket, wire = await entered(it)
        said = len(wire.written)
        socket.data_received(closing(1000) + frame(TEXT, reserved=7))
        assert (len(wire.written) - said, wire.is_closed) == (len(b"\x88\x02") + 2, True)
        socket.connection_lost(None)


@pytest.mark.parametrize("last", [closing(1000), frame(TEXT, reserved=7)], ids=["close", "fault"])
async def test_what_waits_is_not_written_after_the_last_word(last: bytes) -> None:
    async with edge() as it:
        socket, wire = await entered(it)
        socket.pause_writing()
        socket.data_received(PINGED + last)
        said = bytes(wire.written)
        assert PONGED.payload not in said
        socket.resume_writing()
        assert wire.written == said
        socket.connection_lost(None)


async def entered(it: Edge) -> tuple[LeanWS, "Wire"]:
    """A connection without a socket, after its hello."""
    assert it.running.http is not None
    assert issubclass(it.running.http, PollHTTP)
    wire = Wire()
    socket = LeanWS(wire, ServerState(), it.running.http.desk)
    lines = (line.split(b": ", 1) for line in request().split(b"\r\n")[1:-2])
    handshake = handshake_of(b"GET", [(name.lower(), value) for name, value in lines])
    socket.open(handshake, "-", hello(it))
    await eventually(lambda: b"welcome" in wire.written, within_s=WITHIN_S, what="it is in")
    return socket, wire


class Wire(Line):
    """A transport that can be shut for writing."""

    def write_eof(self) -> None:
        self.is_closed = True

    def get_write_buffer_size(self) -> int:
        return len(self.written)


async def test_a_renewal_is_heard_before_what_was_said_after_it() -> None:
    async with edge() as it, welcome(it) as link:
        fresh = it.session.token("ann", exp=it.clock.now_ms() // 1000 + 500).encode()
        await link.send(frame(TEXT, b'{"type":"auth","token":"%b"}' % fresh) + PINGED)
        assert b'"renewed"' in (await link.hear()).payload
        assert await link.hear() == PONGED


@pytest.mark.parametrize(
    "last_words", [frame(TEXT, reserved=7), closing(1000)], ids=["a fault", "a close"]
)
async def test_a_reply_that_comes_after_the_end_is_for_nobody(last_words: bytes) -> None:
    """And the gateway lives on: the task that brings it is a child of the process."""
    async with edge() as it, welcome(it) as link:
        it.channel()
        it.chat.goes_on.clear()
        text = b'{"type":"post","ref":1,"channel":"%b","message":{"text":"a"}}'
        await link.send(frame(TEXT, text % CHANNEL.encode()))
        await eventually(lambda: it.chat.heard, within_s=WITHIN_S, what="chat has the post")
        await link.send(last_words)
        assert (await link.hear()).opcode == CLOSE
        it.chat.goes_on.set()
        await eventually(lambda: not posting(), within_s=WITHIN_S, what="it is replied to")
        assert (await it.poll(after="1-8")).status_code == 200


def posting() -> list[str]:
    """Tasks that wait for the reply to a post."""
    names = (task.get_name() for task in asyncio.all_tasks())
    return [name for name in names if name == "gateway.stream.post"]


def test_a_connection_has_no_dict() -> None:
    """What one takes is counted in slots."""
    assert not hasattr(LeanWS.__new__(LeanWS), "__dict__")
