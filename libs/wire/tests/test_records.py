"""What is in the log stays readable: the bytes of today, of tomorrow, and bytes that are none."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire.codec import Malformed, pack
from libs.wire.records import (
    KNOWN,
    EntryRecord,
    Heartbeat,
    Message,
    Record,
    decode,
    decode_entry,
    encode,
)
from libs.wire.tests.examples import ANN, CHANNEL, EXAMPLES

GOLDEN: dict[str, str] = json.loads((Path(__file__).parent / "golden/records.json").read_bytes())
MESSAGE = [1, "message", CHANNEL, ANN, "c-1", "text", None, None, []]

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
nearly_records = st.tuples(st.integers(0, 3), st.sampled_from([*KNOWN, "void", ""])).flatmap(
    lambda head: st.lists(values, max_size=12).map(lambda rest: pack([*head, *rest]))
)


def test_every_record_type_has_an_example_and_golden_bytes() -> None:
    assert [type(example) for example in EXAMPLES] == list(KNOWN.values())
    assert list(GOLDEN) == list(KNOWN)


def test_every_record_type_is_known_by_the_name_that_it_carries() -> None:
    assert {example.type: type(example) for example in EXAMPLES} == KNOWN


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example.type))
def test_the_bytes_of_a_record_never_change(example: Record) -> None:
    assert encode(example).hex() == GOLDEN[example.type]
    assert decode(bytes.fromhex(GOLDEN[example.type])) == example


def test_an_unknown_type_gives_its_head() -> None:
    assert decode(pack([1, "poll", CHANNEL, 5])) == Record(type="poll")
    assert decode_entry(pack([1, "pin", CHANNEL, ANN, "c-1", 7])) == EntryRecord(
        type="pin", channel=CHANNEL, author=ANN, client_id="c-1"
    )


def test_a_newer_version_gives_its_head_whatever_its_fields_are() -> None:
    newer = [2, *MESSAGE[1:5], {"rich": "text"}]
    assert decode(pack(newer)) == Record(version=2, type="message")
    head = decode_entry(pack(newer))
    assert head == EntryRecord(
        version=2, type="message", channel=CHANNEL, author=ANN, client_id="c-1"
    )
    assert not isinstance(head, Message)


def test_fields_that_a_newer_writer_adds_are_skipped() -> None:
    expected = Message(channel=CHANNEL, author=ANN, client_id="c-1", text="text")
    for read in (decode, decode_entry):
        assert read(pack([*MESSAGE, "more", {"and": ["more"]}])) == expected


def test_a_field_with_a_default_may_be_missing_and_no_other() -> None:
    for kept in range(6, len(MESSAGE)):
        assert decode(pack(MESSAGE[:kept])) == decode(pack(MESSAGE))
    for read in (decode, decode_entry):
        with pytest.raises(Malformed):
            read(pack(MESSAGE[:5]))


def test_a_heartbeat_of_an_earlier_release_names_no_source() -> None:
    assert decode(pack([1, "heartbeat"])) == Heartbeat()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        pack({"type": "message"}),
        pack([]),
        pack([1]),
        pack(["1", "message"]),
        pack([1, 2]),
        pack(MESSAGE)[:-1],
        pack(MESSAGE) + b"\x00",
        b"\x92\x01\xa2\xff\xfe",
        b"\x96\x01\xa7message\xa1c\xa1a\xa1k" + b"\x91" * 5000,
    ],
    ids=repr,
)
def test_bytes_that_are_no_record_are_malformed(raw: bytes) -> None:
    for read in (decode, decode_entry):
        with pytest.raises(Malformed):
            read(raw)


@given(st.binary(max_size=200) | nearly_records | values.map(pack))
def test_no_bytes_raise_anything_but_malformed(raw: bytes) -> None:
    for read in (decode, decode_entry):
        try:
            assert isinstance(read(raw), Record)
        except Malformed:
            continue


@given(st.text(), st.text(), st.text(), st.none() | st.integers(0, 1 << 62))
def test_a_message_is_read_as_it_was_written(
    author: str, client_id: str, text: str, reply_to: int | None
) -> None:
    message = Message(
        channel=CHANNEL, author=author, client_id=client_id, text=text, reply_to=reply_to
    )
    assert decode(encode(message)) == decode_entry(encode(message)) == message
