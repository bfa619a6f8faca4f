"""Polls as a scenario plays them, and honest ones."""

import asyncio
from collections.abc import Mapping
from typing import Any

from conformance.logs import ENTRIES_MAX, Channel, Frame, Logs, entry, expanded
from conformance.script import NotSo

POLLS_MAX = 100
AFTER = "poll_after_ms"
Cursors = Mapping[str, str | None]


def checked(body: Any) -> Cursors:
    """The cursors of a poll. Raises `NotSo`."""
    cursors: Cursors = body.get("cursors", {})
    if not 1 <= len(cursors) <= POLLS_MAX or set(body) - {"cursors", "wait"}:
        raise NotSo(f"polled with {body}")
    return cursors


def scripted(logs: Logs, said: Mapping[str, Any], cursors: Cursors) -> Frame:
    """What a script answers: of each channel by short name, what is left out filled in."""
    parts = {name: part for name, part in said.items() if name != AFTER}
    found = [_part(logs, name, part, cursors) for name, part in parts.items()]
    return {**answer(found), AFTER: said.get(AFTER, 0)}


async def honest(logs: Logs, cursors: Cursors, wait_s: float) -> Frame:
    """What there is, at once or when something comes."""
    parts = _parts(logs, cursors)
    if not parts and wait_s > 0:
        await _something(logs, cursors, wait_s)
        parts = _parts(logs, cursors)
    return answer(parts)


def answer(parts: list[Frame]) -> Frame:
    """A whole answer."""
    return {"channels": parts, AFTER: 0}


def _parts(logs: Logs, cursors: Cursors) -> list[Frame]:
    found = (_told(logs, channel, cursor) for channel, cursor in cursors.items())
    return [part for part in found if part is not None]


def _told(logs: Logs, ident: str, cursor: str | None) -> Frame | None:
    """What is said of one channel; None when there is nothing."""
    first, *more = logs.told(ident, cursor)
    channel = logs.get(ident)
    if channel is None or first["type"] == "unwatched":
        return {"channel": ident, "problem": _problem(first)}
    if first["type"] in ("jump", "reset"):
        said = {name: first[name] for name in ("unread", "epoch", "head", "first") if name in first}
        return {**_empty(channel, first["cursor"]), first["type"]: said}
    if cursor is None:
        return _empty(channel, first["cursor"])
    return {**_empty(channel, cursor), **_filled(more[0])} if more else None


def _filled(frame: Frame) -> Frame:
    last, head = frame["entries"][-1]["id"], frame["head"]
    said = {name: frame[name] for name in ("entries", "cursor", "head")}
    return {**said, "more": last < head}


def _empty(channel: Channel, cursor: str) -> Frame:
    here = {"channel": channel.ident, "cursor": cursor, "head": channel.head}
    return {**here, "entries": [], "more": False, AFTER: 0}


def _problem(unwatched: Frame) -> Frame:
    names = ("code", "detail", "retry", "retry_after_s")
    return {name: unwatched[name] for name in names if name in unwatched}


def _part(logs: Logs, name: str, part: Frame, cursors: Cursors) -> Frame:
    ident = logs.ident(name)
    if "problem" in part:
        return {"channel": ident, "problem": {"detail": "so it is", **part["problem"]}}
    channel = logs[name]
    ids = expanded(part.get("ids", ()))
    assert not ids or ids[-1] <= channel.head, f"{ids} of a channel that ends at {channel.head}"
    place = channel.cursor(ids[-1]) if ids else cursors.get(ident) or channel.cursor(channel.head)
    entries = [entry(each) for each in ids[:ENTRIES_MAX]]
    said = {each: part[each] for each in part if each != "ids"}
    return {**_empty(channel, place), "entries": entries, **said}


async def _something(logs: Logs, cursors: Cursors, wait_s: float) -> None:
    waits = [
        asyncio.ensure_future(channel.beyond(int(cursor.partition("-")[2])))
        for ident, cursor in cursors.items()
        if (channel := logs.get(ident)) is not None and cursor is not None
    ]
    try:
        await asyncio.wait(waits, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
