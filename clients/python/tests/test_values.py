"""Cursors, entries, gateways and waits: what is taken, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostrum import Backoff, Cursor, Message, Unknown, Void
from rostrum.backoff import DOUBLINGS_MAX, MOST_S
from rostrum.cursor import ID_MAX
from rostrum.errors import problem_in
from rostrum.gateways import Gateways
from rostrum.ids import in_path, new_client_id
from rostrum.model import entry_of

AT = "2026-11-21T08:00:00.123Z"
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 1, 1 << 70, 0.5, "", "message", "void", AT, [], [1], {}]
)


@given(epoch=st.integers(1, ID_MAX), ident=st.integers(0, ID_MAX))
def test_a_cursor_is_read_as_it_was_written(epoch: int, ident: int) -> None:
    assert Cursor.of(str(Cursor(epoch, ident))) == (epoch, ident)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1-",
        "-1",
        "0-1",
        "01-1",
        "1-01",
        "1--1",
        "1-1 ",
        " 1-1",
        "1-1\n",
        "1-a",
        "\u0661-\u0661",
    ],
)
def test_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.of(text)


def test_a_cursor_beyond_the_ids_is_none() -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.of(f"1-{ID_MAX + 1}")


def test_an_entry_is_what_its_type_says() -> None:
    message = {"id": 1, "type": "message", "from": "u", "client_id": "k", "at": AT, "text": "hi"}
    assert isinstance(entry_of(message), Message)
    assert entry_of({**message, "stickers": 3, "reply_to": 7}) == entry_of(
        {**message, "reply_to": 7}
    )
    void = entry_of({"id": 2, "type": "void", "at": AT, "dup_of": 1})
    assert isinstance(void, Void)
    assert void.dup_of == 1


def test_an_entry_of_a_type_to_come_keeps_what_it_says() -> None:
    fields = {"id": 3, "type": "poll", "at": AT, "choices": ["a", "b"]}
    assert entry_of(fields) == Unknown(id=3, type="poll", fields=fields)


@given(fields=st.dictionaries(st.sampled_from(["id", "type", "from", "at", "text", "x"]), ODD))
def test_whatever_has_an_id_and_a_type_is_an_entry(fields: dict[str, Any]) -> None:
    if type(fields.get("id")) is int and isinstance(fields.get("type"), str):
        assert entry_of(fields).id == fields["id"]
    else:
        with pytest.raises(ValueError, match="want of id or type"):
            entry_of(fields)


@given(fields=st.dictionaries(st.sampled_from(["code", "detail", "retry", "retry_after_s"]), ODD))
def test_whatever_is_called_a_problem_is_one(fields: dict[str, Any]) -> None:
    assert str(problem_in(fields))


@pytest.mark.parametrize(
    "url",
    [
        *("", "localhost:8080", "ftp://localhost", "http://", "http:///v1", "http://a/?b=1"),
        *("http://a/#b", "http://user:word@a", "//localhost"),
    ],
)
def test_what_is_no_address_of_a_gateway_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="write it as http://localhost:8080"):
        Gateways([url])


def test_no_gateway_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Gateways([])


def test_the_next_gateway_is_asked_once_however_many_leave_the_last() -> None:
    gateways = Gateways(["http://a/", "https://b:8443/under", "http://c"])
    gateways.leave("http://a")
    gateways.leave("http://a")
    assert gateways.current() == "https://b:8443/under"
    gateways.leave("https://b:8443/under")
    gateways.leave("http://c")
    assert gateways.current() == "http://a"


@given(failures=st.integers(0, 10_000), told_s=st.none() | st.floats(0, 1e6))
def test_a_wait_is_random_bounded_and_not_less_than_was_told(
    failures: int, told_s: float | None
) -> None:
    wait_s = Backoff().wait_s(failures, told_s)
    most = min(MOST_S, 0.5 * 2 ** min(failures, DOUBLINGS_MAX))
    assert (told_s or 0) <= wait_s <= max(most, told_s or 0)


@pytest.mark.parametrize("ident", ["", "a/b", "..", "a b", "a?b", "é", "x" * 65])
def test_what_would_change_a_path_is_no_id(ident: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        in_path(ident)


def test_no_two_posts_have_one_name() -> None:
    names = {new_client_id() for _ in range(1_000)}
    assert len(names) == 1_000
    assert all(in_path(name) for name in names)
