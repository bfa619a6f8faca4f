import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire.codec import Malformed, Struct, from_json, pack, to_json, unpack


class Pair(Struct, frozen=True):
    """Some type of ours."""

    name: str
    count: int = 0


def test_json_is_compact_utf8() -> None:
    assert to_json(Pair("é", 2)) == '{"name":"é","count":2}'.encode()


@given(st.text(), st.integers(-(1 << 63), (1 << 63) - 1))
def test_values_are_read_as_they_were_written(name: str, count: int) -> None:
    pair = Pair(name, count)
    assert unpack(pack(pair), Pair) == from_json(to_json(pair), Pair) == pair


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'{"name":1}', b'{"name":"\xff"}', b'{"name":"a","more":' + b"[" * 100_000],
    ids=lambda raw: repr(raw[:30]),
)
def test_what_is_no_such_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        from_json(raw, Pair)


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_but_malformed(raw: bytes) -> None:
    for read in (unpack, from_json):
        try:
            assert isinstance(read(raw, Pair), Pair)
        except Malformed:
            continue
