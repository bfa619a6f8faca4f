"""Writes down what clients see, one line of JSON each, before the request leaves or at once when the
answer is there. CLOCK_MONOTONIC is one clock for all processes of a machine, so files can be
merged."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from faults.gateway import Answer, Gateway
from faults.plan import Blow


class Notes:
    """Appends to one file, which others append to as well: each line is one write."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def invoke(self, key: str, channel: str, attempt: int, gateway: Gateway) -> None:
        """A post, or its next attempt, is about to be sent."""
        self._put("invoke", key=key, channel=channel, attempt=attempt, at=gateway.port)

    def outcome(self, key: str, channel: str, attempt: int, answer: Answer) -> None:
        """What came of an attempt."""
        told = {"status": answer.status, "code": answer.code, "id": answer.body.get("id")}
        self._put("outcome", key=key, channel=channel, attempt=attempt, **told)

    def resume(self, reader: str, channel: str, cursor: str, gateway: Gateway) -> None:
        """A reader goes on from a cursor; what it is given next comes right after it."""
        self._put("resume", reader=reader, channel=channel, cursor=cursor, at=gateway.port)

    def deliver(self, reader: str, channel: str, entries: Sequence[Mapping[str, Any]]) -> None:
        """A reader was given entries."""
        if entries:
            self._put("deliver", reader=reader, channel=channel, entries=list(map(_short, entries)))

    def special(self, kind: str, reader: str, channel: str, cursor: str) -> None:
        """A reader was told "jump" or "reset", and where to go on."""
        self._put(kind, reader=reader, channel=channel, cursor=cursor)

    def final(self, reader: str, channel: str, entries: Sequence[Mapping[str, Any]]) -> None:
        """A fresh reader read the whole channel when all was over."""
        self._put("final", reader=reader, channel=channel, entries=list(map(_short, entries)))

    def fault(self, number: int, blow: Blow, who: str, *, begins: bool) -> None:
        """A fault begins or is healed."""
        kind = "begin" if begins else "end"
        self._put(kind, number=number, sort=blow.sort, who=who)

    def _put(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, "t": time.monotonic_ns(), **fields})
        self._out.write(line + "\n")
        self._out.flush()


def _short(entry: Mapping[str, Any]) -> list[Any]:
    found = [entry.get(name) for name in ("id", "type", "from", "client_id", "text", "dup_of")]
    return [*found, entry.get("at")]
