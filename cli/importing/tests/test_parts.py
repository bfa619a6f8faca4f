import re

from hypothesis import given
from hypothesis import strategies as st

from cli.importing.parts import TEXT_CHARS_MAX, cut, parted

WORDS = st.text(st.sampled_from("ab \n\u0308\u200d\U0001f468"), max_size=300)


def _line(part: str) -> str:
    return f"Mira, 2021{', ' if part else ''}{part}\n"


@given(WORDS, st.integers(2, 50))
def test_pieces_are_the_text_and_none_is_too_long_or_empty(text: str, most: int) -> None:
    pieces = cut(text, most)
    assert "".join(pieces) == text
    assert all(len(piece) <= most for piece in pieces)
    assert all(pieces) or pieces == [""]


@given(WORDS, st.integers(40, 80))
def test_parts_are_numbered_and_together_the_text(text: str, most: int) -> None:
    parts = parted(text, _line, most=most)
    assert all(len(part) <= most for part in parts)
    heads, bodies = zip(*(part.split("\n", 1) for part in parts), strict=True)
    assert "".join(bodies) == text
    if len(parts) > 1:
        total = len(parts)
        assert heads == tuple(f"Mira, 2021, part {at} of {total}" for at in range(1, total + 1))


def test_ten_parts_and_more_have_room_for_their_longer_numbers() -> None:
    parts = parted("word " * 100, _line, most=45)
    assert len(parts) >= 10
    assert max(map(len, parts)) <= 45


def test_a_text_is_cut_behind_a_word() -> None:
    assert cut("one two three four", 10) == ["one two ", "three four"]


def test_a_word_that_is_longer_than_half_of_a_piece_is_cut() -> None:
    assert cut("a bbbbbbbbbbbbbbbb", 10) == ["a bbbbbbbb", "bbbbbbbb"]


def test_no_accent_and_no_joined_emoji_is_torn_apart() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert cut("aaaaaaa" + family, 10) == ["aaaaaaa", family]
    assert cut("aaaaaae\u0308b", 7) == ["aaaaaa", "e\u0308b"]
    assert cut("e" + "\u0308" * 100, 50) == ["e" + "\u0308" * 49, "\u0308" * 50, "\u0308"]


def test_what_fits_is_not_numbered() -> None:
    body = "x" * (TEXT_CHARS_MAX - len(_line("")))
    assert parted(body, _line) == [_line("") + body]
    assert [
        re.search(r"part \d of \d", part) is not None for part in parted(body + "x", _line)
    ] == [True, True]
