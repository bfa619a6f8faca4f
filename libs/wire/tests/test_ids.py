import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire import ids


@given(st.binary(min_size=16, max_size=16))
def test_an_id_and_its_bytes_are_the_same_thing(raw: bytes) -> None:
    ident = ids.from_bytes(raw)
    assert ids.is_id(ident)
    assert ids.to_bytes(ident) == raw


@given(
    st.integers(0, (1 << 48) - 1),
    st.integers(0, (1 << 48) - 1),
    st.binary(min_size=10, max_size=10),
)
def test_fresh_ids_sort_by_their_time(one: int, other: int, entropy: bytes) -> None:
    assert (ids.fresh(one, entropy) < ids.fresh(other, entropy)) == (one < other)


def test_a_fresh_id_has_the_ulid_form_and_stays_the_same() -> None:
    assert ids.fresh(1_795_248_000_000, bytes(range(10))) == "01M7YHX300000G40R40M30E209"


def test_a_derived_id_stays_the_same_for_ever() -> None:
    assert ids.derived("direct", "a", "b") == "1YYYVGXXF24WWPX6RMZ49BG535"


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_different_parts_derive_different_ids(one: list[str], other: list[str]) -> None:
    assert (ids.derived(*one) == ids.derived(*other)) == (one == other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 25,
        "0" * 27,
        "8" + "0" * 25,
        "0" * 25 + "I",
        "0" * 25 + "l",
        "0" * 25 + "U",
        "0" * 25 + "a",
        "0" * 25 + "\n",
        "0" * 26 + "\n",
        "0" * 25 + "٣",
    ],
)
def test_what_has_not_the_form_is_no_id(text: str) -> None:
    assert not ids.is_id(text)
    with pytest.raises(ValueError, match="not an id"):
        ids.to_bytes(text)


@pytest.mark.parametrize(
    ("now_ms", "entropy"), [(-1, bytes(10)), (1 << 48, bytes(10)), (0, bytes(9)), (0, bytes(11))]
)
def test_time_and_entropy_must_fit(now_ms: int, entropy: bytes) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        ids.fresh(now_ms, entropy)


@pytest.mark.parametrize("size", [0, 15, 17])
def test_an_id_has_16_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        ids.from_bytes(bytes(size))
