"""Entries that the client gave, with their fields named as in docs/protocol.md."""

from collections.abc import Mapping
from typing import Any

from libs.wire.entries import MESSAGE, VOID
from rostrum import Entry, Message, Void


def fields_of(entry: Entry) -> Mapping[str, Any]:
    """All of an entry; fields that say nothing are absent."""
    match entry:
        case Message():
            said = {"text": entry.text, "mentions": entry.mentions, "reply_to": entry.reply_to}
            return _fields(entry, MESSAGE, **said)
        case Void():
            return _fields(entry, VOID, dup_of=entry.dup_of)
        case _:
            return entry.fields


def _fields(entry: Message | Void, kind: str, **more: Any) -> Mapping[str, Any]:
    at = entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = {"id": entry.id, "type": kind, "from": entry.sender, "client_id": entry.client_id}
    return {name: value for name, value in {**head, "at": at, **more}.items() if value}
