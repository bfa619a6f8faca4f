"""A history as it was written down, read back and put together."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

Event = dict[str, Any]
NS = 1e-9
ACKNOWLEDGED = (200, 201)
MESSAGE, VOID = "message", "void"


class Entry(NamedTuple):
    """An entry as a reader was given it."""

    id: int
    type: str
    author: str | None
    client_id: str | None
    text: str | None
    dup_of: int | None
    at: str


@dataclass
class Post:
    """One post: when it was first sent, its attempts, and what came of each. Times in seconds."""

    key: str
    channel: str
    invoked: float
    attempts: int = 0
    outcomes: list[tuple[int, int, str, int | None]] = field(default_factory=list)
    acknowledged: float | None = None

    @property
    def ids(self) -> set[int]:
        """The ids that it was acknowledged with: one, if all is well."""
        return {ident for _, status, _, ident in self.outcomes if status in ACKNOWLEDGED and ident}


@dataclass
class Fault:
    """A fault, from its beginning to when it was healed. Times in seconds."""

    number: int
    sort: str
    who: str
    began: float
    ended: float = 0.0


@dataclass
class Seen:
    """What happened: posts by key, faults by number, the events of each reader of each channel in
    their order, and the final reads."""

    posts: dict[str, Post] = field(default_factory=dict)
    faults: dict[int, Fault] = field(default_factory=dict)
    readers: dict[tuple[str, str], list[Event]] = field(default_factory=lambda: defaultdict(list))
    finals: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """The next event."""
        kind = event["event"]
        if kind in ("invoke", "outcome"):
            self._take_post(kind, event)
        elif kind in ("begin", "end"):
            self._take_fault(kind, event)
        else:
            if "entries" in event:
                event["entries"] = [Entry(*each) for each in event["entries"]]
            place = event["reader"], event["channel"]
            if kind == "final":
                self.finals[place] = event["entries"]
            else:
                self.readers[place].append(event)

    def entries(self) -> Iterator[tuple[str, str, Entry]]:
        """Everything that anybody was given: reader, channel, entry."""
        for (reader, channel), events in self.readers.items():
            for event in events:
                for entry in event.get("entries", ()):
                    yield reader, channel, entry
        for (reader, channel), found in self.finals.items():
            for entry in found:
                yield reader, channel, entry

    def _take_post(self, kind: str, event: Event) -> None:
        key, at = event["key"], event["t"] * NS
        if kind == "invoke":
            post = self.posts.setdefault(key, Post(key, event["channel"], at))
            post.attempts = event["attempt"]
            return
        post = self.posts[key]
        post.outcomes.append((event["attempt"], event["status"], event["code"], event["id"]))
        if event["status"] in ACKNOWLEDGED and post.acknowledged is None:
            post.acknowledged = at

    def _take_fault(self, kind: str, event: Event) -> None:
        number, at = event["number"], event["t"] * NS
        if kind == "begin":
            self.faults[number] = Fault(number, event["sort"], event["who"], at, at)
        else:
            self.faults[number].ended = at


def seen(events: Iterable[Event]) -> Seen:
    """The history of these events, in the order of their times."""
    found = Seen()
    for event in sorted(events, key=itemgetter("t")):
        found.take(event)
    return found


def read(history: Path) -> Seen:
    """The history in a file."""
    with history.open(encoding="utf-8") as lines:
        return seen(map(json.loads, lines))
