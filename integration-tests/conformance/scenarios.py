"""The scenarios of `docs/conformance.json`, as that page describes them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "conformance.json"
Step = Mapping[str, Any]
WEBSOCKET, EVENTS, POLL = "websocket", "events", "poll"
WAYS = (WEBSOCKET, EVENTS, POLL)
FORMS = ("json", "msgpack")
# In `log`, `cursors` and `yields`: so many channels alike.
MANY = "*"


@dataclass(frozen=True)
class Run:
    """One way through a scenario: `ways` are those that the client may take, `plays` has for a way
    what each connection does, `form` is the subprotocol's."""

    ways: tuple[str, ...]
    plays: Mapping[str, tuple[tuple[Step, ...], ...]]
    form: str

    def __str__(self) -> str:
        form = f", {self.form}" if WEBSOCKET in self.ways else ""
        return f"{'+'.join(self.ways)}{form}"


@dataclass(frozen=True)
class Scenario:
    """What happens, and what has to come of it."""

    name: str
    covers: tuple[str, ...]
    log: Mapping[str, Mapping[str, int]]
    cursors: Mapping[str, str | None]
    bounds: Mapping[str, float]
    asks: Mapping[str, Any]
    runs: tuple[Run, ...]
    pages: tuple[Step, ...]
    yields: Mapping[str, list[Any]]
    ends: Mapping[str, str]


@cache
def page() -> dict[str, Any]:
    """All of the page."""
    found: dict[str, Any] = json.loads(PAGE.read_text("utf-8"))
    return found


def bounds() -> dict[str, float]:
    """What a client takes instead of its own."""
    return dict(page()["bounds"])


def channels(many: int = 0) -> dict[str, str]:
    """The ids behind short names; those of many alike are their own names."""
    return {**page()["channels"], **{ident: ident for ident in _alike(many)}}


@cache
def scenarios() -> dict[str, Scenario]:
    """All of them, by name."""
    found = [_scenario(row) for row in page()["scenarios"]]
    assert len({each.name for each in found}) == len(found), "two scenarios have one name"
    return {each.name: each for each in found}


def _scenario(row: Mapping[str, Any]) -> Scenario:
    asks = row["asks"]
    many = asks.get("many", 0)
    return Scenario(
        name=row["name"],
        covers=tuple(row["covers"]),
        log=_each(row.get("log", {}), many),
        cursors=_each(asks["cursors"], many),
        bounds={**bounds(), **asks.get("bounds", {})},
        asks=asks,
        runs=tuple(_runs(row)),
        pages=tuple(row.get("pages", ())),
        yields=_each(row["yields"], many),
        ends=row.get("ends", {}),
    )


def _each(rows: Mapping[str, Any], many: int) -> dict[str, Any]:
    found = {name: row for name, row in rows.items() if name != MANY}
    alike = dict.fromkeys(_alike(many), rows[MANY]) if MANY in rows else {}
    return {**found, **alike}


def _alike(many: int) -> list[str]:
    return [f"01KA3QMANY0000000000A0{number:04d}" for number in range(many)]


def _runs(row: Mapping[str, Any]) -> list[Run]:
    plays = {way: tuple(map(tuple, lines)) for way, lines in row["plays"].items()}
    several = row["asks"].get("ways")
    if several is not None:
        return [Run(tuple(several), plays, form) for form in _forms(several)]
    return [
        Run((way,), {way: lines}, form) for way, lines in plays.items() for form in _forms([way])
    ]


def _forms(ways: list[str]) -> tuple[str, ...]:
    return FORMS if WEBSOCKET in ways else FORMS[:1]
