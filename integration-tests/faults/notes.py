"""What the clients of a run see, as events of a history: written before a request leaves, and as
soon as its answer is there."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from checker.history import (
    Deliver,
    Failed,
    Fault,
    Final,
    Invoke,
    Jump,
    Ok,
    Phase,
    Reset,
    Resume,
    Unknown,
    Via,
    Writer,
)
from faults.gateway import Answer

ACKNOWLEDGED = (200, 201)
NEW = 201
# What an answer says of the request when it may be sent again only with its client_id.
SAME_KEY = "same-key"


class Post:
    """One message, and how often it was sent."""

    def __init__(self, channel: str, author: str, key: str) -> None:
        self.channel = channel
        self.author = author
        self.key = key
        self.text = f"post {key}"
        self.attempts = 0


class Notes:
    """Notes for one writer."""

    def __init__(self, writer: Writer) -> None:
        self._write = writer.write

    def invoke(self, post: Post, *, retry: bool) -> None:
        """The next attempt is about to be sent. Each post is a process: it waits for its answer
        before it is sent again."""
        place = {"channel": post.channel, "author": post.author, "client_id": post.key}
        self._write(
            Invoke(_now(), post.key, **place, text=post.text, retry=retry, attempt=post.attempts)
        )

    def outcome(self, post: Post, answer: Answer) -> None:
        """What came of it."""
        place = (_now(), post.key, post.channel, post.author, post.key)
        if answer.status in ACKNOWLEDGED:
            is_new = answer.status == NEW
            self._write(Ok(*place, answer.body["id"], is_new, attempt=post.attempts))
        elif answer.is_certainly_undone:
            self._write(Failed(*place, answer.code, attempt=post.attempts))
        else:
            self._write(Unknown(*place, answer.code, attempt=post.attempts))

    def resume(self, reader: str, session: str, channel: str, cursor: str, *, user: str) -> None:
        """A session goes on from a cursor; what it is given next comes right after it."""
        epoch, after = map(int, cursor.split("-"))
        self._write(Resume(_now(), reader, session, channel, epoch, after, user))

    def took(self, reader: str, session: str, answer: Mapping[str, Any]) -> None:
        """The answer to a poll."""
        channel, head = answer["channel"], answer["head"]
        for name in ("jump", "reset"):
            if name in answer:
                first = answer[name]["first"]
                epoch = int(answer["cursor"].split("-")[0])
                told = (_now(), reader, session, channel)
                jumped = Jump(*told, head, first)
                self._write(jumped if name == "jump" else Reset(*told, epoch, head, first))
        self.deliver(reader, session, channel, answer["entries"], via="poll")

    def deliver(
        self,
        reader: str,
        session: str,
        channel: str,
        entries: Sequence[Mapping[str, Any]],
        *,
        via: Via,
        epoch: int = 1,
    ) -> None:
        """A reader was given entries."""
        now = _now()
        for entry in entries:
            self._write(
                Deliver(
                    *(now, reader, session, channel, epoch, entry["id"], entry["type"]),
                    *(entry.get("from") or "", entry.get("client_id") or "", entry.get("text")),
                    *(entry.get("dup_of"), via),
                )
            )

    def final(self, reader: str, channel: str, head: int) -> None:
        """A fresh reader has read it all."""
        self._write(Final(_now(), reader, channel, head))

    def fault(self, sort: str, who: str, phase: Phase) -> None:
        """A fault begins, or is healed."""
        self._write(Fault(_now(), sort, who, phase))


def _now() -> int:
    return time.monotonic_ns()
