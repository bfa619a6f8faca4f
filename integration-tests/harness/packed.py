"""Frames of either form, read as JSON says them."""

from typing import Any

from libs.wire.codec import from_json, unpack
from libs.wire.entries import MESSAGE, rfc3339

Frame = dict[str, Any]
PLAIN = 4


class Unpacker:
    """Of one connection: what its aliases stand for."""

    def __init__(self) -> None:
        self._aliases: dict[int, Frame] = {}

    def frame(self, raw: str | bytes) -> Frame:
        """A frame as a map; entries as in JSON, the head aside."""
        if isinstance(raw, str):
            return from_json(raw.encode(), dict[str, Any])
        found: Any = unpack(raw, object)
        if isinstance(found, list):
            return self._entries(found)
        frame: Frame = found
        if frame["type"] == "watched":
            self._aliases[frame["alias"]] = frame
        return frame

    def _entries(self, frame: list[Any]) -> Frame:
        alias = self._aliases[frame[0]]
        first = alias["base_id"] + frame[1]
        entries = [
            {"id": first + at, **_entry(row, alias["base_ms"])} for at, row in enumerate(frame[2:])
        ]
        epoch = alias["cursor"].partition("-")[0]
        return {
            "type": "entries",
            "channel": alias["channel"],
            "entries": entries,
            "cursor": f"{epoch}-{first + len(entries) - 1}",
        }


def _entry(row: list[Any], base_ms: int) -> Frame:
    if len(row) == PLAIN:
        sender, client_id, at, text = row
        said = {"from": sender, "client_id": client_id, "text": text}
        return {"type": MESSAGE, "at": rfc3339(base_ms + at), **said}
    kind, at, rest = row
    return {"type": kind, "at": rfc3339(base_ms + at), **rest}
