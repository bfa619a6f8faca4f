import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.exporting.lines import OtherFile, appended, last_cursor, line_of
from rostrum import Message, Unknown, Void

CHANNEL = "4TXDC0WM478S8295VKKM0AAMCJ"
AT = datetime(2026, 11, 21, 8, 0, 0, 123_000, tzinfo=UTC)
LINES = [
    line_of(CHANNEL, 2, Message(id=ident, sender="mira", at=AT, text="hej å " * ident))
    for ident in (7, 8)
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("export") / "lines"


def _last(file: Path, channel: str = CHANNEL) -> str | None:
    with appended(file) as opened:
        return last_cursor(opened, file, channel)


def test_a_message_has_the_fields_of_the_api_after_channel_and_cursor() -> None:
    entry = Message(
        id=3, sender="mira", client_id="k1", at=AT, text="hej", mentions=("jonas",), reply_to=1
    )
    assert line_of(CHANNEL, 2, entry) == (
        b'{"channel": "4TXDC0WM478S8295VKKM0AAMCJ", "cursor": "2-3", "id": 3, "type": "message", '
        b'"from": "mira", "client_id": "k1", "at": "2026-11-21T08:00:00.123Z", "text": "hej", '
        b'"mentions": ["jonas"], "reply_to": 1}\n'
    )


def test_what_is_no_message_is_written_too() -> None:
    void = Void(id=4, sender="mira", client_id="k1", at=AT, dup_of=3)
    newer = Unknown(id=5, type="poll", fields={"id": 5, "type": "poll", "options": [1, 2]})
    assert json.loads(line_of(CHANNEL, 1, void))["dup_of"] == 3
    assert json.loads(line_of(CHANNEL, 1, newer))["options"] == [1, 2]
    assert [json.loads(line_of(CHANNEL, 1, each))["type"] for each in (void, newer)] == [
        "void",
        "poll",
    ]


@given(st.text(min_size=1))
def test_a_text_is_one_line_for_every_program_and_comes_back(text: str) -> None:
    line = line_of(CHANNEL, 1, Message(id=1, sender="mira", at=AT, text=text)).decode()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["text"] == text


def test_a_new_file_has_no_last_line(file: Path) -> None:
    file.unlink(missing_ok=True)
    assert _last(file) is None


@given(st.integers(0, len(LINES[1]) - 1))
def test_a_line_that_was_torn_at_any_byte_is_cut_off(file: Path, kept: int) -> None:
    file.write_bytes(LINES[0] + LINES[1][:kept])
    assert _last(file) == "2-7"
    assert file.read_bytes() == LINES[0]
    file.write_bytes(LINES[1][:kept])
    assert _last(file) is None
    assert file.read_bytes() == b""


def test_an_export_of_another_channel_is_left_alone(file: Path) -> None:
    file.write_bytes(LINES[0])
    with pytest.raises(OtherFile, match="no export of the channel 0000; name another"):
        _last(file, "0000")
    assert file.read_bytes() == LINES[0]


@pytest.mark.parametrize(
    "content",
    [b"my notes", b"my notes\n", b'{"channel": "x"}\n', b"[]\n", b"{}\nnotes", b"a" * (3 << 20)],
)
def test_what_is_no_export_is_left_alone(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(OtherFile, match="name another file"):
        _last(file)
    assert file.read_bytes() == content


def test_the_last_line_of_a_large_file_is_found(file: Path) -> None:
    file.write_bytes(LINES[0] * 40_000 + LINES[1] + LINES[0][:50])
    assert _last(file) == "2-8"
    assert file.read_bytes().endswith(LINES[1])


def test_two_that_write_one_file_are_refused(file: Path) -> None:
    with appended(file), pytest.raises(OtherFile, match="another export writes it"):
        _last(file)


def test_the_folder_of_the_file_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(2)):
        _last(tmp_path / "no" / "lines")
