import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire.codes import Refused
from libs.wire.cursor import ID_MAX, Cursor, parse


@given(st.integers(1, ID_MAX), st.integers(0, ID_MAX))
def test_a_cursor_is_read_as_it_was_written(epoch: int, ident: int) -> None:
    assert parse(str(Cursor(epoch, ident))) == (epoch, ident)


def test_the_form_is_epoch_and_id() -> None:
    assert str(Cursor(1, 1842)) == "1-1842"
    assert parse("1-0") == Cursor(1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "-",
        "1-",
        "-1",
        "0-5",
        "01-5",
        "1-05",
        "1--5",
        "+1-5",
        "1-5 ",
        "1-5\n",
        "1-5-6",
        "1_0-5",
        "\u0661-5",
        f"1-{ID_MAX + 1}",
        f"{ID_MAX + 1}-1",
        "1-" + "9" * 5000,
    ],
)
def test_a_malformed_cursor_is_refused_with_its_code_and_field(text: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(text)
    assert caught.value.code.name == "cursor_malformed"
    assert caught.value.code.status == 400
    assert caught.value.field == "after"
    assert len(caught.value.detail) < 400


@given(st.text(max_size=45) | st.from_regex(r"[0-9]{1,20}-[0-9]{1,20}", fullmatch=True))
def test_any_text_is_a_cursor_in_its_one_form_or_refused(text: str) -> None:
    try:
        cursor = parse(text)
    except Refused:
        return
    assert str(cursor) == text
    assert re.fullmatch("[0-9]+-[0-9]+", text)
