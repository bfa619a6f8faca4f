"""Rows are added and dropped at both ends, and the rest is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.chat.splice import Splice, splice


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("abc", "abc", Splice(0, 0, 0, 0)),
        ("abc", "abcd", Splice(0, 0, 0, 1)),
        ("abc", "bcd", Splice(1, 0, 0, 1)),
        ("cde", "abcd", Splice(0, 1, 2, 0)),
        ("abx", "abcx", Splice(0, 1, 0, 2)),
        ("abc", "xyz", None),
        ("", "abc", None),
        ("abc", "", None),
    ],
)
def test_the_way(old: str, new: str, expected: Splice | None) -> None:
    assert splice(old, new) == expected


@given(st.lists(st.integers(0, 9), unique=True), st.lists(st.integers(0, 9), unique=True))
def test_the_way_leads_from_one_to_the_other(before: list[int], after: list[int]) -> None:
    old, new = [str(one) for one in before], [str(one) for one in after]
    found = splice(old, new)
    if found is None:
        assert not set(old) & set(new)
        return
    stays = old[found.drop_first : len(old) - found.drop_last]
    assert [
        *new[: found.add_first],
        *stays,
        *new[len(new) - found.add_last :],
    ] == new
