from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.importing.media import _FIELDS, media_of
from cli.importing.message import NAME_MAX, Message, Service, Unreadable, read
from cli.importing.tests.json_values import ANY_JSON, message
from cli.importing.text import one_line, text_of

KEYS = (
    *_FIELDS,
    "id", "type", "date", "date_unixtime", "edited", "edited_unixtime", "from", "from_id", "actor",
    "author", "action", "forwarded_from", "via_bot", "reply_to_message_id", "reply_to_peer_id",
    "text", "text_entities", "performer", "title", "file_name", "duration_seconds", "sticker_emoji",
    "address", "members", "reactions", "inline_bot_buttons",
)  # fmt: skip


def taken(**fields: Any) -> Message:
    """The message that is read from these fields."""
    found = read(message(**fields))
    assert isinstance(found, Message)
    return found


@given(ANY_JSON | st.dictionaries(st.sampled_from(KEYS), ANY_JSON))
def test_whatever_a_message_is_it_is_read_or_called_unreadable(raw: Any) -> None:
    assert isinstance(read(raw), Message | Service | Unreadable)


@given(
    st.dictionaries(st.sampled_from(KEYS[:-26]), ANY_JSON), st.sampled_from(["message", "service"])
)
def test_a_message_with_id_type_and_text_is_taken_whatever_else_it_has(
    fields: dict[str, Any], kind: str
) -> None:
    kept = {**fields, "id": 5, "type": kind, "text": "hello", "text_entities": []}
    assert isinstance(read(kept), Message | Service)


@given(ANY_JSON, ANY_JSON)
def test_text_of_any_shape_is_read_or_the_message_is_unreadable(text: Any, entities: Any) -> None:
    found = read(message(text=text, text_entities=entities))
    readable = [text_of(value) for value in (text, entities) if text_of(value) is not None]
    if readable:
        assert isinstance(found, Message)
        assert found.text == readable[0]
    elif text is None and entities is None:
        assert isinstance(found, Message)
        assert found.text == ""
    else:
        assert found == Unreadable(1, "its text has no known shape")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", "hello"),
        ([], ""),
        (["a ", {"type": "bold", "text": "b"}, "\nc"], "a b\nc"),
        ([{"type": "text_link", "text": "map", "href": "x.example/m"}], "map (x.example/m)"),
        ([{"type": "text_link", "text": "x.example", "href": "x.example"}], "x.example"),
        ([{"type": "text_link", "text": "map", "href": 7}], "map"),
        ([{"type": "of the future", "text": "x", "more": [1]}], "x"),
        (["a", 1], None),
        ([{"type": "bold"}], None),
        (7, None),
        (None, None),
    ],
)  # fmt: skip
def test_text_is_joined_and_links_are_written_out(text: Any, expected: str | None) -> None:
    assert text_of(text) == expected


@given(st.text(), st.integers(1, 40))
def test_a_name_is_one_line_of_bounded_length(name: str, most: int) -> None:
    line = one_line(name, most=most)
    assert len(line) <= most
    assert "\n" not in line


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (["a list"], "it is no object"),
        ({"type": "message", "text": ""}, "it has no id"),
        ({"id": True, "type": "message"}, "it has no id"),
        ({"id": 2**63, "type": "message"}, "it has no id"),
        ({"id": 1, "type": "unsupported"}, "Telegram Desktop did not export it"),
        ({"id": 1, "text": "x"}, "its type is not known"),
    ],
)
def test_what_is_unreadable_is_told(raw: Any, why: str) -> None:
    found = read(raw)
    assert isinstance(found, Unreadable)
    assert found.why == why


def test_dates_are_utc_by_their_number_and_else_as_they_stand() -> None:
    assert taken(date_unixtime="1621243812").date == "2021-05-17 09:30:12 UTC"
    assert taken(date_unixtime=0).date == "1970-01-01 00:00:00 UTC"
    for wrong in ("soon", "9" * 5_000, 10**30, None, 1.5):
        assert taken(date_unixtime=wrong).date == "2021-05-17 09:30:12"
    assert taken(date=None).date == ""


def test_an_author_may_be_deleted_sign_a_post_or_not_be_known() -> None:
    assert taken(**{"from": None}).author == "Deleted account"
    assert taken(**{"from": "Harbour News", "author": "Mira"}).author == "Harbour News (Mira)"
    assert taken(**{"from": "A\nB   C"}).author == "A B C"
    assert len(taken(**{"from": "x" * 1_000}).author) == NAME_MAX
    found = read({"id": 1, "type": "message", "text": "x"})
    assert isinstance(found, Message)
    assert found.author == "Unknown"


def test_a_reply_names_its_message_and_whether_it_is_elsewhere() -> None:
    assert taken(reply_to_message_id=4).reply_to == 4
    assert taken(reply_to_message_id="4").reply_to is None
    assert taken(reply_to_message_id=4, reply_to_peer_id="channel7").is_reply_elsewhere


def test_what_is_lost_is_named() -> None:
    found = taken(photo="photos/1.jpg", reactions=[{"emoji": "x"}], inline_bot_buttons=[[{}]])
    assert found.lost == ("file", "reactions", "buttons")


def test_a_service_message_tells_what_else_is_known_of_it() -> None:
    found = read({"id": 3, "type": "service", "actor": "Mira", "actor_id": "user1", "date": "2021",
                  "action": "invite_members", "members": ["Jonas", None], "text": ""})  # fmt: skip
    assert found == Service(3, "Mira", "2021", "invite_members", "members Jonas, Deleted account")


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"photo": "photos/1.jpg"}, "[photo]"),
        ({"file": "f/a.pdf", "file_name": "a.pdf"}, "[file: a.pdf]"),
        ({"file": "f", "media_type": "sticker", "sticker_emoji": "🌻"}, "[sticker 🌻]"),
        ({"file": "f", "media_type": "sticker"}, "[sticker]"),
        ({"media_type": "voice_message", "duration_seconds": 3}, "[voice message: 3 s]"),
        ({"media_type": "audio_file", "performer": "P", "title": "T"}, "[audio: P - T]"),
        ({"contact_information": {"first_name": "A", "phone_number": "+0"}}, "[contact: A, +0]"),
        ({"location_information": None}, "[location]"),
        ({"location_information": {"latitude": 1, "longitude": 2}}, "[location: 1, 2]"),
        ({"place_name": "P", "address": "A", "location_information": {}}, "[place: P, A]"),
        ({"poll": {"question": "Q", "answers": [{"text": "Y", "voters": 2}]}}, "[poll: Q | Y 2]"),
        ({"poll": 7}, "[poll]"),
        ({"game_title": "Snails"}, "[game: Snails]"),
        ({"invoice_information": "{}"}, "[invoice]"),
        ({"paid_stars_amount": 5}, "[paid media: 5 stars]"),
        ({"media_type": "hologram"}, "[hologram]"),
    ],
)  # fmt: skip
def test_media_become_a_note(fields: dict[str, Any], note: str) -> None:
    found = media_of(fields)
    assert found is not None
    assert found.note == note
