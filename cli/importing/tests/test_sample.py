import json
from itertools import pairwise
from typing import Any

from cli.importing.message import Unreadable, read
from cli.importing.sample import RESULT, SHIPPED
from cli.importing.sample.media import MEDIA
from cli.importing.sample.services import SERVICES
from cli.importing.sample.texts import ENTITIES
from cli.importing.sample.writing import one_chat

BYTES_MAX = 1_000_000
MESSAGES: list[dict[str, Any]] = json.loads(RESULT.read_text("utf-8"))["messages"]


def _some(wanted: dict[str, Any]) -> bool:
    return any(wanted.items() <= each.items() for each in MESSAGES)


def test_the_shipped_export_is_what_the_generator_makes() -> None:
    made = "".join(one_chat(SHIPPED)).encode()
    assert RESULT.read_bytes() == made, "write it anew: python -m cli.importing.sample > FILE"
    assert len(made) < BYTES_MAX


def test_it_has_every_kind_of_media_and_everything_that_happens() -> None:
    assert len(MESSAGES) == SHIPPED
    assert [each for each in (*MEDIA, *SERVICES) if not _some(each)] == []


def test_it_has_every_kind_of_entity() -> None:
    found = [entity for each in MESSAGES for entity in each.get("text_entities", [])]
    assert [entity for entity in ENTITIES if entity not in found] == []


def test_it_has_every_shape_of_a_message() -> None:
    ids = [each["id"] for each in MESSAGES]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    shapes = {
        "a reply": lambda m: m.get("reply_to_message_id") in ids,
        "a reply to what was deleted": lambda m: m.get("reply_to_message_id", ids[0]) not in ids,
        "a reply elsewhere": lambda m: "reply_to_peer_id" in m,
        "edited": lambda m: "edited" in m,
        "forwarded": lambda m: m.get("forwarded_from"),
        "forwarded from nobody": lambda m: m.get("forwarded_from", "") is None,
        "saved": lambda m: "saved_from" in m,
        "signed": lambda m: "author" in m,
        "via a bot": lambda m: "via_bot" in m,
        "of a deleted account": lambda m: m.get("from", "") is None,
        "empty": lambda m: m.get("text") == "" and m["type"] == "message",
        "long": lambda m: len(m.get("text", "")) > 8_000,
        "unsupported": lambda m: m["type"] == "unsupported",
        "migrated": lambda m: m["id"] < 0,
        "with reactions": lambda m: "reactions" in m,
        "with buttons": lambda m: "inline_bot_buttons" in m,
        "right to left": lambda m: "שלום" in m.get("text", ""),
        "emoji of several": lambda m: "\u200d" in m.get("text", ""),
    }
    assert [name for name, is_one in shapes.items() if not any(map(is_one, MESSAGES))] == []
    assert any(after - before > 1 for before, after in pairwise(ids) if before > 0)


def test_each_of_its_messages_is_understood() -> None:
    unread = {found.why for each in MESSAGES if isinstance(found := read(each), Unreadable)}
    assert unread == {"Telegram Desktop did not export it"}
