import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.importing import source
from cli.importing.source import chunks, mended, units

PIECES = st.sampled_from([b"\\", b"x", b"\\x1F", b"\\x0", b"\\n", b"\\\\", b'"', b"4", b"\xc3\xa5"])
BYTES = st.lists(PIECES, max_size=30).map(b"".join)


def test_a_control_character_becomes_an_escape_that_json_knows() -> None:
    assert mended(rb"a\x1Fb") == rb"a\u001Fb"


def test_what_follows_an_escaped_backslash_is_text() -> None:
    assert mended(rb"a\\x1Fb") == rb"a\\x1Fb"


@given(BYTES, st.integers(1, 7))
def test_where_a_file_is_cut_into_chunks_changes_nothing(raw: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(source, "CHUNK_BYTES", size)
        taken = list(chunks(io.BytesIO(raw)))
    assert b"".join(taken) == raw
    assert b"".join(map(mended, taken)) == mended(raw)


@given(BYTES)
def test_units_are_the_mended_chunk(raw: bytes) -> None:
    assert b"".join(unit for _, unit in units(raw)) == mended(raw)
