import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire import frames
from libs.wire.codec import Malformed
from libs.wire.entries import Entry
from libs.wire.frames import ToGateway, ToRelay
from libs.wire.tests.examples import CHANNEL

ENTRIES = (
    Entry(
        id=7, type="message", sender="ann", client_id="c", at="2026-11-21T08:00:00.123Z", text="hi"
    ),
    Entry(id=8, type="void", at="2026-11-21T08:00:00.124Z", dup_of=7),
)


@pytest.mark.parametrize(
    "frame",
    [
        frames.Watch(channel=CHANNEL, claim_offset=3, after=-1),
        frames.Unwatch(channel=CHANNEL),
    ],
)
def test_what_a_gateway_sends_a_relay_reads(frame: ToRelay) -> None:
    assert frames.to_relay(frames.encode(frame)) == frame
    with pytest.raises(Malformed):
        frames.to_gateway(frames.encode(frame))


@pytest.mark.parametrize(
    "frame",
    [
        frames.Snapshot(channel=CHANNEL, epoch=1, head=8, first=1, entries=ENTRIES),
        frames.Appended(channel=CHANNEL, epoch=1, entries=ENTRIES),
        frames.Unwatched(channel=CHANNEL, code="channel_unknown"),
        frames.Beat(reconciled_ms=1_795_248_000_123),
    ],
)
def test_what_a_relay_sends_a_gateway_reads(frame: ToGateway) -> None:
    assert frames.to_gateway(frames.encode(frame)) == frame
    with pytest.raises(Malformed):
        frames.to_relay(frames.encode(frame))


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_but_malformed(raw: bytes) -> None:
    for read in (frames.to_relay, frames.to_gateway):
        try:
            read(raw)
        except Malformed:
            continue
