"""Bytes of clients, without a connection: what is kept of them, and what they make."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.runtime.listener import FRAGMENTS_MAX, MESSAGE_BYTES_MAX
from services.gateway.tests.rawsocket import frame
from services.gateway.ws_frames import (
    CONTROL_BYTES_MAX,
    PROTOCOL_ERROR,
    TOO_BIG,
    Broken,
    Framing,
    Incoming,
    Kind,
    Message,
    closing,
)
from services.gateway.ws_frames import frame as ours

MESSAGES = st.one_of(
    st.builds(Message, st.sampled_from((Kind.TEXT, Kind.BINARY)), st.binary(max_size=400)),
    st.builds(Message, st.sampled_from((Kind.PING, Kind.PONG)), st.binary(max_size=125)),
)


def heard(*pieces: bytes) -> list[Message]:
    incoming = Incoming()
    found: list[Message] = []
    for piece in pieces:
        incoming.add(piece)
        while (message := incoming.next()) is not None:
            found.append(message)
    return found


@settings(max_examples=200, deadline=None)
@given(st.lists(MESSAGES, max_size=8), st.lists(st.integers(0, 4_000), max_size=20), st.booleans())
def test_messages_come_out_as_they_went_in_however_they_are_cut(
    messages: list[Message], cuts: list[int], is_in_parts: bool
) -> None:
    said = b""
    for kind, payload in messages:
        if is_in_parts and kind in (Kind.TEXT, Kind.BINARY):
            half = len(payload) // 2
            said += frame(kind, payload[:half], fin=False)
            said += frame(Kind.PONG, b"between")
            said += frame(Kind.CONTINUATION, payload[half:])
        else:
            said += frame(kind, payload)
    places = sorted({0, len(said), *(at % (len(said) + 1) for at in cuts)})
    found = heard(*(said[one:other] for one, other in pairwise(places)))
    assert [each for each in found if each.payload != b"between"] == messages


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=64), max_size=30))
def test_whatever_comes_is_a_message_or_the_end_and_what_is_kept_is_bounded(
    pieces: list[bytes],
) -> None:
    incoming, came, end = Incoming(), 0, None
    for piece in pieces:
        incoming.add(piece)
        came += len(piece)
        try:
            while (message := incoming.next()) is not None:
                assert len(message.payload) <= min(came, MESSAGE_BYTES_MAX)
        except Broken as broken:
            end = broken.code
            break
    assert end in (None, PROTOCOL_ERROR, TOO_BIG)


def test_a_message_is_as_large_as_may_be_and_not_larger() -> None:
    assert len(heard(frame(Kind.TEXT, bytes(MESSAGE_BYTES_MAX)))[0].payload) == MESSAGE_BYTES_MAX
    half = bytes(MESSAGE_BYTES_MAX // 2)
    begun = frame(Kind.TEXT, half, fin=False)
    whole = heard(begun, frame(Kind.CONTINUATION, half))
    assert len(whole[0].payload) == MESSAGE_BYTES_MAX
    with pytest.raises(Broken) as broken:
        heard(begun, frame(Kind.CONTINUATION, half + b"x")[:14])
    assert broken.value.code == TOO_BIG


def test_a_message_after_one_of_many_fragments_begins_to_count_anew() -> None:
    many = [frame(Kind.TEXT, b"a", fin=False)]
    many += [frame(Kind.CONTINUATION, b"a", fin=False)] * (FRAGMENTS_MAX - 2)
    many += [frame(Kind.CONTINUATION, b"a")]
    found = heard(b"".join(many * 2))
    assert [len(each.payload) for each in found] == [FRAGMENTS_MAX] * 2


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_frame_of_ours_says_its_size_in_the_fewest_bytes(size: int) -> None:
    header = 2 + (size > 125) * 2 + (size > 65_535) * 6
    made = ours(Kind.BINARY, bytes(size))
    assert len(made) == header + size
    assert made[1] & 0x80 == 0


def test_all_who_get_the_same_bytes_get_the_same_frame() -> None:
    framing = Framing(Kind.TEXT)
    one, other = b"one", b"other"
    assert framing.of(one) is framing.of(one)
    assert framing.of(other) == ours(Kind.TEXT, other)
    assert framing.of(one) == ours(Kind.TEXT, one)


@pytest.mark.parametrize("reason", ["x" * 200, "\N{GRINNING FACE}" * 40])
def test_a_reason_that_is_too_long_is_cut_between_characters(reason: str) -> None:
    payload = closing(1000, reason)[2:]
    assert len(payload) <= CONTROL_BYTES_MAX
    assert reason.startswith(payload[2:].decode())
