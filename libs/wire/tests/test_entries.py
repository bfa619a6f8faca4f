from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire.codec import from_json, pack, to_json, unpack
from libs.wire.cursor import ID_MAX
from libs.wire.entries import Entry, rfc3339

AT = "2026-11-21T08:00:00.123Z"


def test_a_message_is_sent_without_what_it_has_not() -> None:
    entry = Entry(id=7, type="message", sender="ann", client_id="c-1", at=AT, text="hi")
    assert from_json(to_json(entry), dict) == {
        "id": 7,
        "type": "message",
        "from": "ann",
        "client_id": "c-1",
        "at": AT,
        "text": "hi",
    }


def test_a_void_entry_is_sent_with_hardly_anything() -> None:
    assert to_json(Entry(id=7, type="void", at=AT)) == (
        b'{"id":7,"type":"void","at":"2026-11-21T08:00:00.123Z"}'
    )
    assert from_json(to_json(Entry(id=8, type="void", at=AT, dup_of=7)), dict)["dup_of"] == 7


def test_an_empty_text_is_a_text() -> None:
    assert from_json(to_json(Entry(id=7, type="message", at=AT, text="")), dict)["text"] == ""


numbers = st.integers(0, ID_MAX)
optional = st.none() | numbers
entries = st.builds(
    Entry,
    id=numbers,
    at=st.just(AT),
    text=st.none() | st.text(),
    reply_to=optional,
    dup_of=optional,
)


@given(entries)
def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    assert unpack(pack(entry), Entry) == entry
    assert from_json(to_json(entry), Entry) == entry


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_248_000_123, AT),
        (1_709_164_800_009, "2024-02-29T00:00:00.009Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_time_is_written_with_milliseconds_in_utc(at_ms: int, text: str) -> None:
    assert rfc3339(at_ms) == text


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_no_millisecond_is_lost(at_ms: int) -> None:
    moment = datetime.fromisoformat(rfc3339(at_ms))
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert round(since.total_seconds() * 1000) == at_ms
    assert len(rfc3339(at_ms)) == len(AT)
