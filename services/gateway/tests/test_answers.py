import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire.codec import unpack
from services.gateway import answers
from services.gateway.answers import Drain, Entries, Form, Jump, Reset
from services.gateway.tests.listeners import AT, CHANNEL, entry, writer

TEXTS = st.text(st.characters(codec="utf-8"))


def test_an_entry_is_written_without_fields_that_say_nothing() -> None:
    assert json.loads(answers.entry(entry(7, "hi"))) == {
        "id": 7,
        "type": "message",
        "from": "ann",
        "client_id": "k7",
        "at": AT,
        "text": "hi",
    }


@given(TEXTS, st.lists(TEXTS, max_size=5))
def test_entries_are_spliced_as_they_were_encoded(channel: str, texts: list[str]) -> None:
    there = writer(channel, epoch=3, poll_after_ms=250)
    kept = [there.kept(entry(11 + at, text)) for at, text in enumerate(texts)]
    last = 10 + len(texts)
    body = there.write(Form.POLL, Entries(10, kept, last))
    assert b",".join(each.json for each in kept) in body
    said = {
        "channel": channel,
        "entries": [json.loads(each.json) for each in kept],
        "cursor": f"3-{last}",
        "head": last,
    }
    assert json.loads(body) == {**said, "more": False, "poll_after_ms": 250}
    frame = json.loads(there.write(Form.JSON, Entries(10, kept, last)))
    assert frame == {"type": "entries", **said}


def test_packed_entries_count_from_the_base_of_the_alias() -> None:
    there = writer()
    kept = [there.kept(entry(11, "hi")), there.kept(entry(12, "ho"))]
    frame = unpack(there.write(Form.PACKED, Entries(10, kept, 12)), list[Any])
    assert frame == [7, 6, ["ann", "k11", 0, "hi"], ["ann", "k12", 0, "ho"]]


def test_more_is_said_when_the_head_is_beyond_the_last_entry() -> None:
    body = json.loads(writer().write(Form.POLL, Entries(5, [], 6)))
    assert (body["cursor"], body["head"], body["more"]) == ("1-5", 6, True)


def special(**field: object) -> dict[str, object]:
    return {
        "channel": CHANNEL,
        "entries": [],
        "head": 2_000,
        "more": False,
        "poll_after_ms": 0,
        **field,
    }


SPECIAL: dict[str, tuple[Jump | Reset | Drain, str, dict[str, int]]] = {
    "jump": (Jump(1_990, 2_000, 1), "1-2000", {"unread": 1_990, "head": 2_000, "first": 1}),
    "reset": (Reset(2_000, 1), "1-2000", {"epoch": 1, "head": 2_000, "first": 1}),
    "drain": (Drain(1_999, 2_000, 1_000), "1-1999", {"reconnect_after_ms": 1_000}),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_a_special_answer_says_where_the_cursor_goes(name: str) -> None:
    answer, cursor, said = SPECIAL[name]
    body = json.loads(writer().write(Form.POLL, answer))
    assert body == special(cursor=cursor, **{name: said})


@pytest.mark.parametrize("name", ["jump", "reset"])
def test_a_stream_is_told_the_same_in_either_form(name: str) -> None:
    answer, cursor, said = SPECIAL[name]
    frame = {"type": name, "channel": CHANNEL, "cursor": cursor, **said}
    assert json.loads(writer().write(Form.JSON, answer)) == frame
    assert unpack(writer().write(Form.PACKED, answer), dict[str, Any]) == frame
