"""Frames in msgpack, as `docs/protocol.md` has them."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from typing import Any

from conformance.logs import BASE_MS, Frame
from libs.wire.codec import pack
from libs.wire.streams import ms_of

FIRST_ALIAS = 5
# Ids of an alias count from below what is told first, times from a later day: both may differ by
# less than nothing.
BELOW = 3
ORIGIN_MS = BASE_MS + 86_400_000
# A byte that begins nothing.
RUBBISH = b"\xc1"
PLAIN = {"id", "type", "at", "from", "client_id", "text"}


class Packer:
    """Of one connection: the aliases that it gave."""

    def __init__(self) -> None:
        numbers: Iterator[int] = count(FIRST_ALIAS)
        self._aliases: defaultdict[str, int] = defaultdict(lambda: next(numbers))
        self._origins: dict[str, int] = {}

    def packed(self, frame: Frame) -> bytes:
        """A frame; entries as an array."""
        if "raw" in frame:
            return RUBBISH * int(frame.get("times", 1))
        if frame["type"] == "watched":
            return pack({**frame, **self._alias(frame)})
        if frame["type"] == "entries":
            return self._entries(frame["channel"], frame["entries"])
        return pack(frame)

    def _alias(self, frame: Frame) -> Frame:
        channel = frame["channel"]
        origin = int(frame["cursor"].partition("-")[2]) - BELOW
        self._origins[channel] = origin
        return {"alias": self._aliases[channel], "base_id": origin, "base_ms": ORIGIN_MS}

    def _entries(self, channel: str, entries: list[Frame]) -> bytes:
        first = entries[0]["id"] - self._origins[channel]
        return pack([self._aliases[channel], first, *map(_row, entries)])


def _row(entry: Frame) -> list[Any]:
    at = ms_of(entry["at"]) - ORIGIN_MS
    if entry["type"] == "message" and set(entry) == PLAIN:
        return [entry["from"], entry["client_id"], at, entry["text"]]
    rest = {name: value for name, value in entry.items() if name not in ("id", "type", "at")}
    return [entry["type"], at, rest]
