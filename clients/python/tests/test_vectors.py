"""The golden vectors of docs/protocol.md, as a client reads and writes them."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rostrum import wire
from rostrum.cursor import Cursor
from rostrum.model import Message, Unknown, Void, entry_of
from rostrum.packed import Unpacker
from rostrum.wire import Auth, Entries, Hello, Malformed, Skipped, ToGateway, Unwatch, Watch

DOCS = Path(__file__).parents[3] / "docs"
VECTORS: dict[str, Any] = json.loads((DOCS / "protocol.vectors.json").read_text("utf-8"))
# What a follower neither says nor asks for: posts go by HTTP, and nothing is measured.
NOT_SAID = {"post", "ping"}
NOT_ASKED_FOR = {"posted", "pong"}
KINDS: dict[str, type[ToGateway]] = {
    "hello": Hello,
    "watch": Watch,
    "unwatch": Unwatch,
    "auth": Auth,
}
KINDS_OF_ENTRIES = {"message": Message, "void": Void}


def named(vectors: str) -> pytest.MarkDecorator:
    rows = VECTORS[vectors]
    return pytest.mark.parametrize("vector", rows, ids=[row["name"] for row in rows])


def said() -> list[Any]:
    return [row for row in VECTORS["to_gateway"] if row["frame"]["type"] not in NOT_SAID]


def test_what_a_follower_does_not_say_is_named_here() -> None:
    assert {row["frame"]["type"] for row in VECTORS["to_gateway"]} == NOT_SAID | KINDS.keys()


@pytest.mark.parametrize("vector", said(), ids=[row["name"] for row in said()])
def test_frames_of_ours_are_written_as_these_bytes(vector: dict[str, Any]) -> None:
    made = msgspec.convert(vector["frame"], KINDS[vector["frame"]["type"]])
    assert wire.text_of(made) == vector["json"]
    assert wire.packed_of(made).hex() == vector["msgpack"]


@named("from_gateway")
def test_frames_of_gateways_are_read_the_same_in_both_forms(vector: dict[str, Any]) -> None:
    frame = wire.frame_of(vector["json"])
    assert wire.frame_of(bytes.fromhex(vector["msgpack"])) == frame
    assert Unpacker().frame_of(bytes.fromhex(vector["msgpack"])) == frame
    if vector["frame"]["type"] in NOT_ASKED_FOR:
        assert frame == Skipped(vector["frame"]["type"])
    else:
        shown = msgspec.to_builtins(frame)
        assert {name: vector["frame"].get(name, value) for name, value in shown.items()} == shown


@named("entries")
def test_entries_are_read_the_same_in_both_forms(vector: dict[str, Any]) -> None:
    unpacker = Unpacker()
    unpacker.frame_of(msgspec.msgpack.encode(vector["watched"]))
    packed = unpacker.frame_of(bytes.fromhex(vector["msgpack"]))
    frame = vector["frame"]
    place = Cursor.of(frame["cursor"])
    entries = tuple(map(entry_of, frame["entries"]))
    assert wire.frame_of(vector["json"]) == Entries(frame["channel"], entries, place, frame["head"])
    assert packed == Entries(frame["channel"], entries, place, frame["head"])
    kinds = [KINDS_OF_ENTRIES.get(entry["type"], Unknown) for entry in frame["entries"]]
    assert [type(entry) for entry in entries] == kinds


@named("malformed")
def test_rubbish_is_no_frame_or_one_that_is_skipped(vector: dict[str, Any]) -> None:
    """What a gateway refuses, the other way round."""
    forms = [vector.get("json"), bytes.fromhex(vector.get("msgpack", ""))]
    for raw in filter(None, forms):
        try:
            frame = Unpacker().frame_of(raw) if isinstance(raw, bytes) else wire.frame_of(raw)
        except Malformed:
            continue
        assert isinstance(frame, Skipped)
