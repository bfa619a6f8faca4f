"""What comes over a stream is a frame, or it is told that it is none."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostrum import wire
from rostrum.cursor import Cursor
from rostrum.model import Message, Unknown
from rostrum.packed import Unpacker
from rostrum.wire import Entries, FromGateway, Malformed, Skipped

CHANNEL = "01KA3Q5V8Z0J6T4M2N7R9X1C3E"
WATCHED = {
    "type": "watched",
    "channel": CHANNEL,
    "cursor": "1-1842",
    "head": 1843,
    "first": 1,
    "alias": 5,
    "base_id": 1840,
    "base_ms": 1_795_248_000_000,
}
PLAIN = ["ann", "k1", 123, "hello"]
NO_ENTRIES: list[Any] = [
    [6, 3, PLAIN],
    [5],
    [],
    [[], 3, PLAIN],
    [5, "x", PLAIN],
    [5, -9999, PLAIN],
    [5, 2**63, PLAIN],
    [5, 3, ["vote", "x", {}]],
    [5, 3, ["vote", 1, 7]],
    [5, 3, ["vote", 2**62, {}]],
]
NO_FRAMES = [
    "",
    "7",
    "[" * 100_000,
    '"\ud800"',
    '{"type":7}',
    '{"type":"beat"',
    '{"type":"watched"}',
    '{"type":"drain","reconnect_after_ms":"x"}',
    '{"type":"entries","channel":"a","entries":[{"type":"message"}],"cursor":"1-1","head":1}',
    '{"type":"entries","channel":"a","entries":[{"type":[],"id":1}],"cursor":"1-1","head":1}',
    '{"type":"entries","channel":"a","entries":[],"cursor":"0-1","head":1}',
]
JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["type", "channel", "cursor", "head", "entries", "alias", "retry"])
TYPES = st.sampled_from(["watched", "entries", "jump", "reset", "unwatched", "beat", "x"])


def told(frame: Any, *before: Any) -> FromGateway:
    """What an array or map says after others on the same connection."""
    unpacker = Unpacker()
    for each in (WATCHED, *before):
        unpacker.frame_of(msgspec.msgpack.encode(each))
    return unpacker.frame_of(msgspec.msgpack.encode(frame))


def entry_in(row: Any) -> Any:
    frame = told([5, 3, row])
    assert isinstance(frame, Entries)
    return frame.entries[0]


def test_a_plain_message_in_four_elements() -> None:
    at = datetime(2026, 11, 21, 8, 0, 0, 123_000, tzinfo=UTC)
    message = Message(id=1843, sender="ann", client_id="k1", at=at, text="hello")
    assert told([5, 3, PLAIN]) == Entries(CHANNEL, (message,), Cursor(1, 1843), 1843)


@pytest.mark.parametrize("row", [[], [1], [1, 2, 3, 4, 5], {}, None, "text", [1, 2, 3, 4]])
def test_an_entry_of_another_form_counts_with_its_id(row: Any) -> None:
    assert isinstance(entry_in(row), Unknown)
    assert entry_in(row).id == 1843


def test_an_entry_of_a_type_to_come_has_its_fields_as_in_json() -> None:
    entry = entry_in(["vote", -1, {"from": "ann", "choice": 2}])
    said = {"id": 1843, "type": "vote", "at": "2026-11-21T07:59:59.999Z"}
    assert entry == Unknown(id=1843, type="vote", fields={**said, "from": "ann", "choice": 2})


def test_ids_begin_anew_with_another_watched() -> None:
    frame = told([5, 0, PLAIN], {**WATCHED, "cursor": "1-1999", "base_id": 2000})
    assert isinstance(frame, Entries)
    assert frame.place == Cursor(1, 2000)


def test_an_alias_that_went_to_another_channel_is_that_ones() -> None:
    frame = told([5, 0, PLAIN], {**WATCHED, "channel": "other", "base_id": 7})
    assert isinstance(frame, Entries)
    assert (frame.channel, frame.place) == ("other", Cursor(1, 7))


def test_an_alias_outlives_its_watch_and_a_reset_changes_the_epoch() -> None:
    unwatched = {"type": "unwatched", "channel": CHANNEL, "code": "x", "retry": "yes"}
    reset = {"type": "reset", "channel": CHANNEL, "cursor": "2-5", "head": 5, "first": 1}
    frame = told([5, 3, PLAIN], unwatched, {**reset, "epoch": 2})
    assert isinstance(frame, Entries)
    assert frame.place == Cursor(2, 1843)


def test_the_head_is_the_last_one_that_was_told() -> None:
    behind = {"type": "behind", "channel": CHANNEL, "cursor": "1-1843", "head": 9000}
    for before, head in (((), 1844), ((behind,), 9000)):
        frame = told([5, 4, PLAIN], *before)
        assert isinstance(frame, Entries)
        assert frame.head == head


@pytest.mark.parametrize("frame", NO_ENTRIES)
def test_what_is_no_array_of_entries_is_malformed(frame: Any) -> None:
    with pytest.raises(Malformed):
        told(frame)


@pytest.mark.parametrize("text", NO_FRAMES)
def test_what_is_no_frame_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        wire.frame_of(text)


def test_a_frame_to_come_is_skipped() -> None:
    assert wire.frame_of('{"type":"typing","channel":"a"}') == Skipped("typing")


def test_fields_to_come_are_skipped() -> None:
    assert wire.frame_of('{"type":"beat","of":"life"}') == wire.Beat()


@given(raw=st.binary() | JSON_LIKE.map(msgspec.msgpack.encode))
def test_any_bytes_are_a_frame_or_malformed(raw: bytes) -> None:
    unpacker = Unpacker()
    unpacker.frame_of(msgspec.msgpack.encode(WATCHED))
    with suppress(Malformed):
        unpacker.frame_of(raw)


@given(fields=st.dictionaries(NAMES, JSON_LIKE), kind=TYPES)
def test_any_map_is_a_frame_or_malformed(fields: dict[str, Any], kind: str) -> None:
    frame = {**fields, "type": kind}
    with suppress(Malformed):
        wire.frame_of(msgspec.json.encode(frame).decode())
    with suppress(Malformed):
        Unpacker().frame_of(msgspec.msgpack.encode(frame))
