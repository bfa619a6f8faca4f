import json

from hypothesis import given
from hypothesis import strategies as st

from services.gateway import answers
from services.gateway.answers import Writer
from services.gateway.tests.listeners import AT, entry

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
    encoded = [answers.entry(entry(11 + at, text)) for at, text in enumerate(texts)]
    last = 10 + len(texts)
    body = Writer(channel, 3, 250).entries(encoded, last, last)
    assert b",".join(encoded) in body
    assert json.loads(body) == {
        "channel": channel,
        "entries": [json.loads(each) for each in encoded],
        "cursor": f"3-{last}",
        "head": last,
        "more": False,
        "poll_after_ms": 250,
    }


def test_more_is_said_when_the_head_is_beyond_the_last_entry() -> None:
    body = json.loads(Writer("c", 1, 0).entries([], 5, 6))
    assert (body["cursor"], body["head"], body["more"]) == ("1-5", 6, True)


def special(**field: object) -> dict[str, object]:
    return {
        "channel": "c",
        "entries": [],
        "head": 2_000,
        "more": False,
        "poll_after_ms": 5,
        **field,
    }


def test_a_jump_leads_to_the_head() -> None:
    assert json.loads(Writer("c", 2, 5).jump(1_990, 2_000, 1)) == special(
        cursor="2-2000", jump={"unread": 1_990, "head": 2_000, "first": 1}
    )


def test_a_reset_names_the_epoch_and_leads_to_the_head() -> None:
    assert json.loads(Writer("c", 2, 5).reset(2_000, 1)) == special(
        cursor="2-2000", reset={"epoch": 2, "head": 2_000, "first": 1}
    )


def test_a_drain_leaves_the_cursor_where_it_was() -> None:
    assert json.loads(Writer("c", 2, 5).drain(1_999, 2_000, 1_000)) == special(
        cursor="2-1999", drain={"reconnect_after_ms": 1_000}
    )
