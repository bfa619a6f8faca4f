"""RFC 6455, case by case, as the Autobahn suite groups them: what may be is served, what may not
be ends with the code that the RFC has for it."""

import asyncio
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.runtime.listener import FRAGMENTS_MAX, MESSAGE_BYTES_MAX
from libs.wire import streams
from services.gateway.metrics import STREAMS
from services.gateway.tests.edge import Edge, edge
from services.gateway.tests.rawsocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Ended,
    Heard,
    RawSocket,
    closing,
    cut,
    frame,
    raw,
    request,
    welcome,
)

PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1002, 1007, 1009
ASKED = b'{"type":"ping","ref":7}'
PONGED = Heard(TEXT, b'{"type":"pong","ref":7}')
PINGED = frame(TEXT, ASKED)
A_MILLION = 1_000_000


def padded(size: int) -> bytes:
    """The same question in so many bytes."""
    return ASKED + b" " * (size - len(ASKED))


async def answers(link: RawSocket) -> None:
    """It is alive still."""
    await link.send(PINGED)
    assert await link.hear() == PONGED


# 1: framing


@pytest.mark.parametrize("size", [len(ASKED), 125, 126, 127, 128, 65_535, 65_536])
async def test_a_message_of_any_size_is_heard(size: int) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(frame(TEXT, padded(size)))
        assert await link.hear() == PONGED


@pytest.mark.parametrize("size", [len(ASKED), 126, 600])
async def test_a_message_that_comes_byte_by_byte_is_heard(size: int) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(*cut(frame(TEXT, padded(size))))
        assert await link.hear() == PONGED


async def test_many_messages_in_one_piece_are_heard_in_their_order() -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(b"".join(frame(TEXT, b'{"type":"ping","ref":%d}' % n) for n in range(200)))
        for number in range(200):
            assert await link.hear() == Heard(TEXT, b'{"type":"pong","ref":%d}' % number)


# 2: pings and pongs


@pytest.mark.parametrize("payload", [b"", b"hello", bytes(range(125))])
async def test_a_ping_is_answered_with_what_it_brings(payload: bytes) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(frame(PING, payload))
        assert await link.hear() == Heard(PONG, payload)
        await link.send(*cut(frame(PING, payload)))
        assert await link.hear() == Heard(PONG, payload)


async def test_ten_pings_are_answered_in_their_order() -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(b"".join(frame(PING, b"%d" % number) for number in range(10)))
        assert [await link.hear() for _ in range(10)] == [
            Heard(PONG, b"%d" % number) for number in range(10)
        ]


async def test_a_pong_that_nobody_asked_for_is_nothing() -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(frame(PONG), frame(PONG, b"unasked"))
        await answers(link)


# 3 and 4, 5, 2.5: what a frame may not be


@pytest.mark.parametrize(
    "wrong",
    [
        *(frame(TEXT, ASKED, reserved=bits) for bits in range(1, 8)),
        *(frame(PING, reserved=bits) for bits in (1, 2, 4)),
        *(frame(opcode) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        *(frame(opcode, b"x", fin=False) for opcode in (PING, PONG, CLOSE)),
        *(frame(opcode, bytes(126)) for opcode in (PING, PONG, CLOSE)),
        frame(CONTINUATION, ASKED),
        frame(CONTINUATION, ASKED, fin=False),
        frame(TEXT, ASKED[:5], fin=False) + frame(TEXT, ASKED[5:]),
        frame(TEXT, ASKED[:5], fin=False) + frame(BINARY, ASKED[5:]),
        frame(TEXT, ASKED, masked=False),
    ],
    ids=lambda wrong: wrong[:8].hex(),
)
async def test_what_breaks_the_protocol_ends_with_1002(wrong: bytes) -> None:
    """And what comes after it is not heard."""
    async with edge() as it, welcome(it) as link:
        await answers(link)
        await link.send(wrong + PINGED)
        assert await link.hear_all() == ([], Ended(PROTOCOL_ERROR))
        await all_gone(it)


# 5: fragments


@pytest.mark.parametrize("parts", [2, 3, len(ASKED)])
async def test_fragments_are_one_message_with_pings_in_between(parts: int) -> None:
    async with edge() as it, welcome(it) as link:
        ends = [len(ASKED) * at // parts for at in range(parts + 1)]
        for at in range(parts):
            opcode, piece = CONTINUATION if at else TEXT, ASKED[ends[at] : ends[at + 1]]
            await link.send(frame(opcode, piece, fin=at == parts - 1))
            if at < parts - 1:
                await link.send(frame(PING, b"%d" % at))
                assert await link.hear() == Heard(PONG, b"%d" % at)
        assert await link.hear() == PONGED


async def test_empty_fragments_are_fragments() -> None:
    async with edge() as it, welcome(it) as link:
        empty = frame(CONTINUATION, fin=False)
        await link.send(
            frame(TEXT, fin=False) + empty + frame(CONTINUATION, ASKED, fin=False) + empty,
            frame(CONTINUATION),
        )
        assert await link.hear() == PONGED


# 6: UTF-8


@pytest.mark.parametrize(
    "text",
    [b"\xce\xba\xe1", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xff", b"\x80"],
    ids=bytes.hex,
)
async def test_what_is_no_utf8_ends_with_1007(text: bytes) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(frame(TEXT, ASKED + text))
        assert await link.ended() == Ended(NOT_UTF8)


async def test_a_character_may_be_cut_between_fragments() -> None:
    async with edge() as it, welcome(it) as link:
        it.channel()
        text = '{"type":"unwatch","channels":["\N{GRINNING FACE}"]}'.encode()
        at = text.index(b"\xf0") + 2
        await link.send(frame(TEXT, text[:at], fin=False), frame(CONTINUATION, text[at:]))
        await answers(link)


# 7: closing


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
)
async def test_a_close_is_answered_with_its_code(code: int) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(closing(code, b"bye"))
        assert await link.ended() == Ended(code)
        await all_gone(it)


@pytest.mark.parametrize("wrong", [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535])
async def test_a_code_that_may_not_be_sent_is_answered_with_1002(wrong: int) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(closing(wrong))
        assert await link.ended() == Ended(PROTOCOL_ERROR)


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"\x03", PROTOCOL_ERROR), (b"\x03\xe8\xce\xba\xe1\xbd", NOT_UTF8)],
    ids=["half a code", "no text"],
)
async def test_a_close_that_cannot_be_read_is_answered_with_why(payload: bytes, code: int) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(frame(CLOSE, payload))
        assert await link.ended() == Ended(code)


async def test_a_close_without_a_code_and_what_comes_after_it() -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(frame(CLOSE) + PINGED + frame(PING))
        assert (await link.hear()).opcode == CLOSE
        with pytest.raises(EOFError):
            await link.hear()
        await all_gone(it)


# 1 to 5 at once, cut anywhere

ASKINGS = st.one_of(
    st.builds(lambda ref, gap: ("ask", ref, gap), st.integers(0, 9), st.integers(0, 300)),
    st.builds(lambda payload: ("ping", payload, 0), st.binary(max_size=125)),
    st.builds(lambda payload: ("pong", payload, 0), st.binary(max_size=125)),
)


def said_and_due(
    asked: Sequence[tuple[str, Any, int]], cuts: Sequence[int]
) -> tuple[bytes, list[Heard]]:
    """Frames of what is asked, some in fragments at `cuts`, and what has to be answered."""
    said, due = b"", []
    for number, (kind, value, gap) in enumerate(asked):
        if kind == "ask":
            text = b'{"type":"ping",%b"ref":%d}' % (b" " * gap, value)
            at = cuts[number % len(cuts)] % len(text)
            said += frame(TEXT, text[:at], fin=False) + frame(CONTINUATION, text[at:])
            due.append(Heard(TEXT, b'{"type":"pong","ref":%d}' % value))
        else:
            said += frame(PING if kind == "ping" else PONG, value)
            due += [Heard(PONG, value)] if kind == "ping" else []
    return said, due


@settings(max_examples=20, deadline=None)
@given(st.lists(ASKINGS, min_size=1, max_size=12), st.lists(st.integers(1, 400), min_size=1))
def test_however_it_is_cut_each_kind_is_answered_in_its_order(
    asked: list[tuple[str, Any, int]], cuts: list[int]
) -> None:
    """Pings are answered at once, and may overtake what is asked in messages."""
    said, due = said_and_due(asked, cuts)

    async def answered() -> list[Heard]:
        async with edge() as it, welcome(it) as link:
            places = sorted({0, len(said), *(at % len(said) for at in accumulate(cuts))})
            await link.send(*(said[one:other] for one, other in pairwise(places)))
            return [await link.hear() for _ in due]

    heard = asyncio.run(answered())
    for opcode in (TEXT, PONG):
        assert [each for each in heard if each.opcode == opcode] == [
            each for each in due if each.opcode == opcode
        ]


# 9: limits


async def test_as_many_fragments_as_may_be_are_heard_and_one_more_ends_with_1009() -> None:
    pieces = [padded(FRAGMENTS_MAX)[at : at + 1] for at in range(FRAGMENTS_MAX)]

    def message(count: int) -> bytes:
        first = frame(TEXT, pieces[0], fin=False)
        rest = (frame(CONTINUATION, piece, fin=False) for piece in pieces[1 : count - 1])
        return b"".join((first, *rest, frame(CONTINUATION, b" ")))

    async with edge() as it, welcome(it) as link:
        await link.send(message(FRAGMENTS_MAX))
        assert await link.hear() == PONGED
        await link.send(message(FRAGMENTS_MAX)[:-7] + frame(CONTINUATION, b" ", fin=False) * 2)
        assert await link.ended() == Ended(TOO_BIG)


async def test_a_million_fragments_of_a_byte_end_and_leave_nothing() -> None:
    async with edge() as it, welcome(it) as link:
        one = frame(CONTINUATION, b" ", fin=False)

        async def flood() -> None:
            await link.send(frame(TEXT, b" ", fin=False))
            for _ in range(A_MILLION // 1_000):
                await link.send(one * 1_000)

        flooding = asyncio.ensure_future(flood())
        assert await link.ended() in {Ended(TOO_BIG), Ended(None)}
        await asyncio.wait({flooding})
        assert flooding.exception() is None or isinstance(flooding.exception(), ConnectionError)
        await all_gone(it)


@pytest.mark.parametrize("size", [MESSAGE_BYTES_MAX + 1, 1 << 40, (1 << 64) - 1])
async def test_a_message_that_is_too_large_ends_with_1009_before_it_came(size: int) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(b"\x81\xff" + size.to_bytes(8, "big") + bytes(4))
        assert await link.ended() == Ended(TOO_BIG)
        await all_gone(it)


async def test_what_is_between_what_a_frame_and_a_message_may_have_is_told_why() -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(frame(TEXT, padded(200_000)))
        assert b"body_too_large" in (await link.hear()).payload
        assert await link.ended() == Ended(streams.CLOSE_MALFORMED)


# ends without a close


@pytest.mark.parametrize("begun", [b"", PINGED[:1], PINGED[:9], frame(TEXT, ASKED, fin=False)])
async def test_a_client_that_shuts_its_side_is_let_go(begun: bytes) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(begun)
        link.writer.write_eof()
        await link.ended()
        await all_gone(it)


@pytest.mark.parametrize("begun", [b"", PINGED[:1], frame(TEXT, ASKED, fin=False)])
async def test_a_client_that_resets_leaves_nothing(begun: bytes) -> None:
    async with edge() as it, welcome(it) as link:
        await link.send(begun)
        link.writer.transport.abort()
        await all_gone(it)


async def all_gone(it: Edge) -> None:
    """No stream is open any more."""
    await it.soon(lambda: _open() == 0, "no stream is open")


def _open() -> float:
    (metric,) = STREAMS.collect()
    return metric.samples[0].value


# the handshake


@pytest.mark.parametrize(
    "said",
    [
        request(without="sec-websocket-key"),
        request(sec_websocket_key="short"),
        request(sec_websocket_version="8"),
        request(sec_websocket_protocol="chat"),
        request(without="sec-websocket-protocol"),
        request().replace(b"/v1/ws", b"/v1/nowhere"),
        request().replace(b"GET", b"POST"),
    ],
    ids=["no key", "a short key", "old", "no protocol of ours", "no protocol", "path", "method"],
)
async def test_a_handshake_that_is_none_is_refused_with_an_answer(said: bytes) -> None:
    async with edge() as it, raw(it) as link:
        await link.send(said)
        assert (await link.head()).startswith(b"HTTP/1.1 4")
        await all_gone(it)


async def test_a_handshake_and_a_hello_may_come_byte_by_byte() -> None:
    async with edge() as it, raw(it) as link:
        hello = frame(TEXT, b'{"type":"hello","token":"%b"}' % it.session.token("ann").encode())
        await link.send(*cut(request()))
        assert (await link.head()).startswith(b"HTTP/1.1 101 ")
        await link.send(*cut(hello + PINGED))
        assert b'"welcome"' in (await link.hear()).payload
        assert await link.hear() == PONGED
