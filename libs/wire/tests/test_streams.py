"""The published frames: their golden bytes in both forms, and the page that describes them."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire import streams
from libs.wire.codec import Malformed, foreign_json, from_json, pack, to_json, unpack
from libs.wire.streams import FromClient, FromGateway, frame_of

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "protocol.md").read_text("utf-8")
VECTORS: dict[str, Any] = json.loads((DOCS / "protocol.vectors.json").read_text("utf-8"))
ENTRIES = "entries"
HEADINGS = {
    "to_gateway": "### Frames to the gateway",
    "from_gateway": "### Frames from the gateway",
}
# Frames as structs, by their type on the wire.
KINDS = {
    direction: {kind.__struct_config__.tag: kind for kind in get_args(union)}
    for direction, union in (("to_gateway", FromClient), ("from_gateway", FromGateway))
}
CODES = {name: code for name, code in vars(streams).items() if name.startswith("CLOSE_")}


def named(vectors: str) -> pytest.MarkDecorator:
    """Each vector of a list, under its name."""
    rows = VECTORS[vectors]
    return pytest.mark.parametrize("vector", rows, ids=[row["name"] for row in rows])


@named("to_gateway")
def test_what_a_client_sends_is_read_alike_in_both_forms(vector: dict[str, Any]) -> None:
    packed = bytes.fromhex(vector["msgpack"])
    frame = frame_of(vector["json"])
    assert frame == frame_of(packed)
    assert (to_json(vector["frame"]).decode(), pack(vector["frame"])) == (vector["json"], packed)
    assert to_said(frame, vector["frame"]) == vector["frame"]


def to_said(frame: FromClient, given: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given, as they were understood."""
    understood = json.loads(to_json(frame))
    return {name: understood[name] for name in given}


@named("from_gateway")
def test_what_a_gateway_sends_is_these_bytes(vector: dict[str, Any]) -> None:
    packed = bytes.fromhex(vector["msgpack"])
    frame = read_gateway(vector["json"])
    assert frame == read_gateway(packed)
    assert (to_json(frame).decode(), pack(frame)) == (vector["json"], packed)
    assert json.loads(vector["json"]) == unpack(packed, dict) == vector["frame"]


def read_gateway(raw: str | bytes) -> Any:
    """A frame of a gateway; a field that it does not have would be skipped."""
    kind: Any = FromGateway
    return from_json(raw.encode(), kind) if isinstance(raw, str) else unpack(raw, kind)


@pytest.mark.parametrize("direction", KINDS)
def test_every_frame_has_a_vector_that_says_each_of_its_fields(direction: str) -> None:
    for kind, struct in KINDS[direction].items():
        frames = [row["frame"] for row in VECTORS[direction] if row["frame"]["type"] == kind]
        said = {name for frame in frames for name in frame}
        assert said == {"type", *struct.__struct_fields__}, kind


@pytest.mark.parametrize("direction", KINDS)
def test_every_frame_has_a_row_that_names_its_fields(direction: str) -> None:
    rows = table(HEADINGS[direction])
    kinds = {kind: struct.__struct_fields__ for kind, struct in KINDS[direction].items()}
    if direction == "from_gateway":
        kinds[ENTRIES] = ("channel", "entries", "cursor", "head")
    assert {kind: set(re.findall(r"`(\w+)`", rows[kind])) for kind in rows} == {
        kind: set(fields) for kind, fields in kinds.items()
    }


def table(heading: str) -> dict[str, str]:
    """Of the frames below a heading: what is said of their fields."""
    below = PAGE.partition(f"{heading}\n")[2].partition("\n#")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]*)\|", below, re.MULTILINE))


def test_the_conversation_of_the_page_has_every_frame() -> None:
    lines = re.findall(r"^([<>]) (\{.*\})$", PAGE, re.MULTILINE)
    shown: dict[str, set[str]] = {">": set(), "<": set()}
    for way, text in lines:
        kind = json.loads(text)["type"]
        shown[way].add(kind)
        if way == ">":
            frame_of(text)
        elif kind != ENTRIES:
            read_gateway(text)
    assert shown == {">": set(KINDS["to_gateway"]), "<": {ENTRIES, *KINDS["from_gateway"]}}


def test_every_close_code_has_its_row() -> None:
    rows = [int(code) for code in re.findall(r"^\| (4[45]\d\d) \|", PAGE, re.MULTILINE)]
    assert rows == sorted(CODES.values())
    assert all(code // 100 in {44, 45} for code in rows)


# Some are refused by what was said before, and not by what they are.
SHAPELESS = [
    row
    for row in VECTORS["malformed"]
    if row["code"] == "frame_malformed" and row["name"] != "a second hello"
]


@pytest.mark.parametrize("vector", SHAPELESS, ids=lambda row: str(row["name"]))
def test_what_is_no_frame_raises_malformed_in_either_form(vector: dict[str, Any]) -> None:
    for raw in raws(vector):
        with pytest.raises(Malformed):
            read(raw)


def raws(vector: dict[str, Any]) -> list[str | bytes]:
    """What is sent, in the forms in which it can be."""
    made: list[str | bytes] = []
    if "json" in vector:
        made.append(vector["json"])
    if "msgpack" in vector:
        made.append(bytes.fromhex(vector["msgpack"]))
    return made


def read(raw: str | bytes) -> None:
    """A frame, and the message that it brings for others."""
    frame = frame_of(raw)
    if isinstance(frame, streams.Post):
        foreign_json(frame.message)


@given(st.binary(max_size=100) | st.text(max_size=100))
def test_nothing_raises_anything_but_malformed(raw: str | bytes) -> None:
    try:
        read(raw)
    except Malformed:
        return
