"""The golden vectors of docs/protocol.md that need a gateway: entries, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from libs.testing.served import served
from libs.wire.codec import from_json
from libs.wire.codes import CODES
from libs.wire.cursor import parse
from libs.wire.entries import MESSAGE, VOID, Entry, rfc3339
from libs.wire.streams import JSON_PROTOCOL, PACKED_PROTOCOL, Origin
from services.gateway.answers import Entries, Form, Writer
from services.gateway.tests.edge import Edge, edge
from services.gateway.tests.talkers import Frame, Talker, talking

DOCS = Path(__file__).parents[3] / "docs"
VECTORS: dict[str, Any] = json.loads((DOCS / "protocol.vectors.json").read_text("utf-8"))
FORMS = {"json": JSON_PROTOCOL, "msgpack": PACKED_PROTOCOL}


def named(vectors: str) -> pytest.MarkDecorator:
    rows = VECTORS[vectors]
    return pytest.mark.parametrize("vector", rows, ids=[row["name"] for row in rows])


@named("entries")
def test_entries_are_written_as_these_bytes(vector: Frame) -> None:
    watched, frame = vector["watched"], vector["frame"]
    base = Origin(watched["alias"], watched["base_id"], watched["base_ms"])
    epoch = parse(watched["cursor"]).epoch
    writer = Writer(watched["channel"], base, epoch=epoch, poll_after_ms=0)
    found = from_json(json.dumps(frame["entries"]).encode(), list[Entry])
    answer = Entries(found[0].id - 1, [writer.kept(entry) for entry in found], frame["head"])
    assert writer.write(Form.JSON, answer).decode() == vector["json"]
    assert writer.write(Form.PACKED, answer).hex() == vector["msgpack"]
    assert json.loads(vector["json"]) == frame


@named("entries")
def test_who_reads_the_array_as_the_page_says_has_the_same_entries(vector: Frame) -> None:
    talker = Talker(None)  # type: ignore[arg-type]
    talker.learn(vector["watched"])
    frame = vector["frame"]
    found = talker.read(bytes.fromhex(vector["msgpack"]))
    assert found == {name: frame[name] for name in found}
    assert {"channel", "entries", "cursor"} <= set(found)


def test_entries_of_each_kind_have_a_vector() -> None:
    said = {entry["type"] for row in VECTORS["entries"] for entry in row["frame"]["entries"]}
    assert {MESSAGE, VOID} < said
    fields = {
        name for row in VECTORS["entries"] for each in row["frame"]["entries"] for name in each
    }
    aliases = {"sender": "from"}
    assert fields == {aliases.get(name, name) for name in Entry.__struct_fields__}
    assert rfc3339(VECTORS["entries"][0]["watched"]["base_ms"]) == "2026-11-21T08:00:00.000Z"


@pytest.mark.parametrize("form", FORMS)
async def test_what_is_malformed_is_told_and_closed_as_the_vectors_say(form: str) -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        for vector in VECTORS["malformed"]:
            if form in vector:
                told = await refused(it, address, form, vector)
                assert told == (vector["code"], vector["close"]), vector["name"]
                assert vector["code"] in CODES


async def refused(it: Edge, address: str, form: str, vector: Frame) -> tuple[str, int]:
    """Code of the error and of the close."""
    async with talking(address, FORMS[form]) as talker:
        if vector["when"] == "after hello":
            await talker.greet(it.session.token("ann"))
        raw = vector[form]
        await talker.link.send(raw if form == "json" else bytes.fromhex(raw))
        frame = await talker.hear()
        assert (frame["type"], frame["retry"]) == ("error", CODES[frame["code"]].retry)
        return frame["code"], await talker.closed()
