import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.importing import reading
from cli.importing.reading import DEPTH_MAX, NoExport, messages, survey
from cli.importing.sample.writing import one_chat as sample
from cli.importing.sample.writing import whole_account
from cli.importing.tests.json_values import NEARLY_EXPORTS, chats_of, message, one_chat

SMALL = "".join(sample(12)).encode()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("export") / "result.json"


def _said(file: Path, content: bytes) -> str:
    file.write_bytes(content)
    with pytest.raises(NoExport) as caught:
        survey(file)
    return str(caught.value).replace(str(file), "FILE")


def test_one_chat_is_read_in_its_order(file: Path) -> None:
    listed = [message(ident, f"text {ident}") for ident in (3, 9, 12)]
    file.write_text(json.dumps(one_chat(listed)))
    found = survey(file)
    (chat,) = found.chats
    assert (chat.ident, chat.name, chat.kind, chat.count) == ("7", "Shed", "private_group", 3)
    assert not found.is_whole_account
    assert list(messages(file, chat)) == listed


def test_of_an_account_the_messages_of_the_chat_that_is_asked_for_are_read(file: Path) -> None:
    file.write_text("".join(whole_account(30)), "utf-8")
    found = survey(file)
    assert found.is_whole_account
    assert [(chat.name, chat.kind, chat.count) for chat in found.chats] == [
        ("", "saved_messages", 3),
        ("Harbour Allotments", "private_supergroup", 30),
        ("", "personal_chat", 3),
    ]
    read = [list(messages(file, chat)) for chat in found.chats]
    document = json.loads(file.read_text("utf-8"))
    assert read == [chat["messages"] for chat in chats_of(document)]


@given(NEARLY_EXPORTS)
@settings(deadline=None)
def test_whatever_json_it_is_the_chats_are_those_of_the_format(file: Path, document: Any) -> None:
    file.write_text(json.dumps(document))
    expected = [chat["messages"] for chat in chats_of(document)]
    if not expected:
        assert "is JSON, but no export" in _said(file, file.read_bytes())
        return
    found = survey(file)
    read = [list(messages(file, chat)) for chat in found.chats]
    assert json.loads(json.dumps(read, default=float)) == expected
    assert [chat.count for chat in found.chats] == list(map(len, expected))


@given(st.integers(0, len(SMALL.rstrip()) - 1))
@settings(deadline=None)
def test_a_file_that_was_cut_at_any_byte_is_refused_with_the_place(file: Path, cut: int) -> None:
    said = _said(file, SMALL[:cut])
    place = f"byte {cut:,} (line {SMALL[:cut].count(10) + 1:,})"
    assert said == f"FILE ends in the middle, at {place}; copy or export it again"


@given(st.integers(0, len(SMALL) - 1), st.binary(min_size=1, max_size=3))
@settings(deadline=None)
def test_bytes_that_changed_are_read_or_refused_and_never_anything_else(
    file: Path, at: int, wrong: bytes
) -> None:
    file.write_bytes(SMALL[:at] + wrong + SMALL[at + len(wrong) :])
    with suppress(NoExport):
        found = survey(file)
        for chat in found.chats:
            assert len(list(messages(file, chat))) == chat.count


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{"messages": [01]}', "byte 16 (line 1)"),
        (b'{"messages": [\n{"id": 1},\n{"id": nil}]}', "byte 34 (line 3)"),
        (b'{"messages": ["\xff"]}', "byte 15 (line 1)"),
        (b'{"messages": ["\\x1F\\q"]}', "byte 20 (line 1)"),
        (b'{"messages": [1e999999999999999999999]}', "byte 37 (line 1)"),
        (b'{"messages": [' + b"1" * 5_000 + b"]}", "byte 5,014 (line 1)"),
        (b'{"messages": []} x', "byte 17 (line 1)"),
        (b"PK\x03\x04", "byte 0 (line 1)"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(file: Path, content: bytes, place: str) -> None:
    assert _said(file, content).startswith(f"FILE is no JSON at {place}: ")


@pytest.mark.parametrize("padding", [0, 65_530, 65_534, 65_536, 200_000])
def test_the_place_is_right_wherever_chunks_end(file: Path, padding: int) -> None:
    before = b'{"messages": ["\\x1F", ' + b" " * padding + b'"\\x1F",\n'
    said = _said(file, before + b"oops]}")
    assert f"byte {len(before):,} (line 2)" in said


def test_control_characters_are_read_as_telegram_desktop_writes_them(file: Path) -> None:
    file.write_bytes(b'{"messages": [{"text": "a\\x1Fb\\\\x1F"}]}')
    (chat,) = survey(file).chats
    assert list(messages(file, chat)) == [{"text": "a\x1fb\\x1F"}]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_what_is_nested_too_deep_is_refused(file: Path, opening: bytes) -> None:
    content = b'{"messages": [' + opening * 100_000
    assert f"is nested over {DEPTH_MAX} deep before byte 65,536" in _said(file, content)


@pytest.mark.parametrize(
    "content",
    [
        b'{"messages": ["' + b"a" * 400_000,
        b'{"messages": [{' + b'"a": 1, ' * 50_000,
        b'"' + b"a" * 400_000,
    ],
)
def test_a_message_or_text_that_does_not_end_is_refused(
    file: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "VALUE_BYTES_MAX", 131_072)
    assert "has a message or a text of over 131,072 bytes" in _said(file, content)


def test_messages_of_any_size_together_are_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "VALUE_BYTES_MAX", 131_072)
    listed = [message(ident, "a" * 60_000) for ident in range(20)]
    file.write_text(json.dumps(one_chat(listed)))
    assert survey(file).chats[0].count == 20


def test_a_file_that_changes_between_survey_and_reading_is_noticed(file: Path) -> None:
    file.write_text(json.dumps(one_chat([message(), message(2)])))
    (chat,) = survey(file).chats
    file.write_text(json.dumps(one_chat([message()])))
    with pytest.raises(NoExport, match="changed while it was read"):
        list(messages(file, chat))


def test_the_digest_tells_files_apart(file: Path) -> None:
    digests = set()
    for name in ("Shed", "Gate"):
        file.write_text(json.dumps(one_chat([message()], name=name)))
        digests.add(survey(file).digest)
    assert len(digests) == 2
