"""What channels hold in a scenario, and what an honest gateway says of it."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

from libs.wire.entries import rfc3339

Frame = dict[str, Any]
BASE_MS = 1_795_248_000_000
JUMP_BEHIND = 1_000
ENTRIES_MAX = 100
# Ids that are divisible by these are no messages: so every scenario has all kinds.
VOIDS, UNKNOWNS = 7, 11
SENDER = "01KA3PZ0ANN0000000000000AA"


class Channel:
    """One channel: `epoch`, the lowest id that is kept and the last one."""

    def __init__(self, ident: str, numbers: Mapping[str, int]) -> None:
        self.ident = ident
        self.epoch = numbers.get("epoch", 1)
        self.first = numbers.get("first", 1)
        self.head = numbers.get("head", 0)
        self._grown = asyncio.Condition()

    async def grow(self, more: int) -> None:
        """So many entries more."""
        async with self._grown:
            self.head += more
            self._grown.notify_all()

    async def beyond(self, ident: int) -> None:
        """Return when there is something after `ident`."""
        async with self._grown:
            await self._grown.wait_for(lambda: self.head > ident)

    def entries(self, after: int, until: int | None = None) -> list[Frame]:
        """Of ids `after` + 1 to `until`, 100 at most."""
        last = min(self.head if until is None else until, after + ENTRIES_MAX)
        return [entry(ident) for ident in range(after + 1, last + 1)]

    def page(self, query: Mapping[str, str]) -> Frame:
        """`GET /v1/channels/{channel}/messages`."""
        limit = int(query.get("limit", ENTRIES_MAX))
        after = int(query["after"]) if "after" in query else max(self.head - limit, 0)
        begins = max(after, self.first - 1)
        entries = self.entries(begins, begins + limit)[: max(self.head - begins, 0)]
        last = entries[-1]["id"] if entries else self.head
        return {
            "entries": entries,
            "cursor": self.cursor(last),
            "head": self.head,
            "first": self.first,
            "more": last < self.head,
        }

    def cursor(self, ident: int) -> str:
        """A place in this epoch."""
        return f"{self.epoch}-{ident}"

    def told(self, cursor: str | None) -> list[Frame]:
        """What is said at once to who watches from there."""
        if cursor is None:
            return [self.watched(self.cursor(self.head))]
        epoch, _, ident = cursor.partition("-")
        here = {"channel": self.ident, "head": self.head, "first": self.first}
        if int(epoch) != self.epoch:
            place = self.cursor(self.head)
            return [{"type": "reset", **here, "cursor": place, "epoch": self.epoch}]
        if int(ident) > self.head:
            return [problem_of(self.ident, "cursor_ahead", "no")]
        if self.head - int(ident) > JUMP_BEHIND or int(ident) + 1 < self.first:
            place = self.cursor(self.head)
            jump = {"type": "jump", **here, "cursor": place, "unread": self.head - int(ident)}
            return [jump, self.watched(place)]
        return [self.watched(cursor), *self.said(int(ident))]

    def said(self, after: int) -> list[Frame]:
        """Frames of entries up to the head."""
        frames = []
        while after < self.head:
            found = self.entries(after)
            after = found[-1]["id"]
            frames.append(self.frame(found))
        return frames

    def frame(self, entries: list[Frame]) -> Frame:
        """Entries as one frame."""
        last = entries[-1]["id"]
        return {
            "type": "entries",
            "channel": self.ident,
            "entries": entries,
            "cursor": self.cursor(last),
            "head": max(self.head, last),
        }

    def watched(self, cursor: str) -> Frame:
        """The frame."""
        here = {"channel": self.ident, "cursor": cursor, "head": self.head, "first": self.first}
        return {"type": "watched", **here}


class Logs:
    """All channels of a scenario, by short name."""

    def __init__(self, named: Mapping[str, str], log: Mapping[str, Mapping[str, int]]) -> None:
        self.named = dict(named)
        self._channels = {named[name]: Channel(named[name], row) for name, row in log.items()}

    def __getitem__(self, name: str) -> Channel:
        return self._channels[self.ident(name)]

    def get(self, ident: str) -> Channel | None:
        """By id; None when there is no such channel."""
        return self._channels.get(ident)

    def ident(self, name: str) -> str:
        """The id of a short name, or the id that it is already."""
        return self.named.get(name, name)

    async def grow(self, more: Mapping[str, int]) -> None:
        """Of some channels, so many entries more."""
        for name, count in more.items():
            await self[name].grow(count)

    def told(self, ident: str, cursor: str | None) -> list[Frame]:
        """What is said to who watches."""
        channel = self.get(ident)
        if channel is None:
            return [problem_of(ident, "channel_unknown", "no")]
        return channel.told(cursor)

    def whole(self, frame: Frame) -> list[Frame]:
        """Frames of a script with what it leaves out; entries in pieces without holes."""
        if "channel" not in frame:
            return [frame]
        ident = self.ident(frame["channel"])
        frame = {**frame, "channel": ident}
        channel = self.get(ident)
        if frame["type"] == "entries":
            assert channel is not None, f"no log of {ident}"
            return _pieces(channel, frame)
        if channel is not None and frame["type"] in ("watched", "jump", "reset"):
            return [{"head": channel.head, "first": channel.first, **frame}]
        return [frame]


def text_of(frame: Frame) -> str:
    """A frame in JSON, or what is none."""
    return frame["raw"] * frame.get("times", 1) if "raw" in frame else json.dumps(frame)


def problem_of(ident: str, code: str, retry: str, **more: Any) -> Frame:
    """A channel that is not followed."""
    said = {"code": code, "detail": f"so it is: {code}", "retry": retry}
    return {"type": "unwatched", "channel": ident, **said, **more}


def entry(ident: int) -> Frame:
    """The entry with this id, in all channels."""
    said: Frame = {"id": ident, "at": rfc3339(BASE_MS + 1000 * ident)}
    if ident % VOIDS == 0:
        return {**said, "type": "void"}
    if ident % UNKNOWNS == 0:
        return {**said, "type": "vote_opened", "from": SENDER, "text": str(ident), "votes": ident}
    return {
        **said,
        "type": "message",
        "from": SENDER,
        "client_id": f"post-{ident}",
        "text": f"entry {ident}",
    }


def _pieces(channel: Channel, frame: Frame) -> list[Frame]:
    runs: list[list[int]] = []
    for ident in expanded(frame["ids"]):
        if runs and runs[-1][-1] + 1 == ident:
            runs[-1].append(ident)
        else:
            runs.append([ident])
    return [channel.frame([entry(ident) for ident in run]) for run in runs]


def expanded(ids: Iterable[int | str]) -> list[int]:
    """Ids, of which a text such as "5-104" stands for all from the one to the other."""
    found: list[int] = []
    for each in ids:
        first, _, last = str(each).partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found
