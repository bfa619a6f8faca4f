"""Redis: reached, new enough, and told to forget nothing of the views."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cli.address import Where
from cli.checking.line import Line, ok, unseen, wrong
from libs.runtime.clock import Clock
from libs.runtime.settings import shown, variable
from libs.store import VERSION_MIN, StoreUnavailable, open_store

PART = "redis"
# A policy that takes keys without an end makes a view say no to members, and nothing shows it.
TAKES_ALL = "allkeys-"


class Told(NamedTuple):
    """What was found, and how far the clock of Redis is ahead of ours (None: not known)."""

    lines: list[Line]
    ahead_ms: float | None = None
    unsure_ms: float = 0.0


async def look_at_store(where: Where, clock: Clock) -> Told:
    """Ask it, once. An embedded one is inside of its process: nobody else sees it."""
    if not where.store_url:
        return Told([_unnamed(where)])
    try:
        store = open_store(where.store_url)
    except ValueError as fault:
        return Told([_away(f"{shown(where.store_url)!r} names no Redis: {fault}")])
    try:
        said: Mapping[str, Any] = await store.info()
        began_ms, began_s = clock.now_ms(), clock.monotonic()
        seconds, micros = await store.time()
        took_ms = (clock.monotonic() - began_s) * 1000
    except StoreUnavailable as fault:
        return Told([_away(f"it does not answer: {fault}")])
    finally:
        await store.aclose()
    at_ms = int(seconds) * 1000 + int(micros) / 1000
    return Told(judged(said), at_ms - (began_ms + took_ms / 2), took_ms / 2)


def judged(said: Mapping[str, Any]) -> list[Line]:
    """What its INFO says."""
    version = str(said.get("redis_version", ""))
    policy = str(said.get("maxmemory_policy", ""))
    least = ".".join(map(str, VERSION_MIN))
    lines = []
    if _number(version) < VERSION_MIN:
        todo = f"install Redis {least} or newer; the views are built anew from the log"
        lines.append(wrong(PART, f"its version is {version or 'not told'}", todo))
    if policy.startswith(TAKES_ALL):
        todo = "set maxmemory-policy to noeviction, and give it the memory that it needs"
        lines.append(wrong(PART, f"its maxmemory-policy is {policy}, which takes from views", todo))
    return lines or [ok(PART, f"version {version}, maxmemory-policy {policy}")]


def _number(version: str) -> tuple[int, ...]:
    words = version.split(".")[:2]
    return tuple(int(word) for word in words) if all(map(str.isdecimal, words)) else (0,)


def _unnamed(where: Where) -> Line:
    if where.is_embedded:
        return unseen(PART, "is inside of the one process, where nobody else can look")
    todo = f"name the one of the services with --redis or {variable('', 'store_url')}"
    return wrong(PART, "none is named, and a process without one has views of its own", todo)


def _away(what: str) -> Line:
    todo = f"start it, or name it with --redis or {variable('', 'store_url')}"
    return wrong(PART, what, todo)
