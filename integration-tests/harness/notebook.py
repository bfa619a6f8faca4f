"""What a client keeps of the channels that it follows, and what it was told against the rules."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from libs.wire.cursor import Cursor, parse

Entry = dict[str, Any]
# What is kept of them; one is enough to fail.
FAULTS_MAX = 20


class Ended(NamedTuple):
    """The code with which a channel was taken from the client, and when (monotonic s)."""

    code: str
    at: float


@dataclass
class Notes:
    """One channel: where the client is, and every entry that it applied."""

    place: Cursor
    entries: list[Entry] = field(default_factory=list)
    ended: Ended | None = None


class Notebook:
    """The channels of one client. An entry is applied when its id is the last one + 1; whatever
    else comes is a fault. `told` counts what was said besides entries."""

    def __init__(self, cursors: Mapping[str, str]) -> None:
        self._notes = {channel: Notes(parse(text)) for channel, text in cursors.items()}
        self.told: Counter[str] = Counter()
        self.faults: list[str] = []
        # When each answer or frame with entries came (monotonic s), and the text of its first one.
        self.arrivals: list[tuple[float, str]] = []

    def __getitem__(self, channel: str) -> Notes:
        return self._notes[channel]

    def __iter__(self) -> Iterator[str]:
        return iter(self._notes)

    @property
    def cursors(self) -> dict[str, str]:
        """Of the channels that are followed still."""
        return {
            channel: str(notes.place)
            for channel, notes in self._notes.items()
            if notes.ended is None
        }

    @property
    def is_open(self) -> bool:
        """Whether any is."""
        return any(notes.ended is None for notes in self._notes.values())

    def take(self, channel: str, entries: list[Entry], cursor: str) -> None:
        """Entries, and the cursor that came with them."""
        notes = self._notes[channel]
        if entries and notes.ended is not None:
            self.fault(f"{channel}: entry {entries[0]['id']} after {notes.ended}")
        for entry in entries:
            if entry["id"] != notes.place.id + 1:
                self.fault(f"{channel}: entry {entry['id']} at {notes.place}")
                return
            notes.entries.append(entry)
            notes.place = notes.place._replace(id=entry["id"])
        if cursor != str(notes.place):
            self.fault(f"{channel}: the cursor {cursor} at {notes.place}")
        if entries:
            self.arrivals.append((time.monotonic(), entries[0].get("text", "")))

    def here(self, channel: str, cursor: str) -> None:
        """The gateway says where the client is."""
        place = self._notes[channel].place
        if cursor != str(place):
            self.fault(f"{channel}: told to be at {cursor}, being at {place}")

    def reset(self, channel: str, cursor: str) -> None:
        """The epoch changed: what was read is gone."""
        self._notes[channel] = Notes(parse(cursor))

    def end(self, channel: str, code: str) -> None:
        """A channel is followed no more; the first reason counts."""
        notes = self._notes[channel]
        if notes.ended is None:
            notes.ended = Ended(code, time.monotonic())
            self.told[code] += 1

    def end_all(self, code: str) -> None:
        """Nothing is followed any more."""
        for channel in self._notes:
            self.end(channel, code)

    def said(self) -> str:
        """What was told and what was wrong, for people."""
        told = ", ".join(f"{name} {count}" for name, count in sorted(self.told.items()))
        return f"told {told}; faults {self.faults[:3]}"

    def fault(self, what: str) -> None:
        """Something that a gateway may not do."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(what)
