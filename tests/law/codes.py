"""Error codes: one row each, drawn once, raised as their own class, and used."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.law.names_in import dotted_uses, strings
from tests.law.tree import Source, production

HOME = "libs/wire/codes.py"
MODULE = "libs.wire.codes"
RETRY_OF = {"Refused": "no", "TryAgain": "yes", "OutcomeUnknown": "same-key"}
DRAWN_BRANCH = re.compile(r"[├└]── (\w+)\s+retry: (\S+)")
DRAWN_CODES = re.compile(r"^[│ ]*(\d{3})((?: +[a-z_]+)+)$")


class Row(NamedTuple):
    """A row of the table: where it stands, and what it says."""

    node: ast.AST
    name: str
    status: int
    retry: str


def violations(root: Path) -> list[str]:
    """Codes that are double, not drawn, not known, of another class, or not used."""
    seen = {source.rel: source for source in production(root)}
    if HOME not in seen:
        return []
    rows = list(_rows(seen[HOME]))
    elsewhere = [source for rel, source in seen.items() if rel != HOME]
    return [
        *_double(seen[HOME], rows),
        *_drawing(seen[HOME], rows),
        *(line for source in elsewhere for line in _raised(source, rows)),
        *_unused(seen[HOME], rows, elsewhere),
    ]


def _rows(source: Source) -> Iterator[Row]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_rows":
            retry, *rows = node.args
            for row in rows:
                status, name, _ = ast.literal_eval(row)
                yield Row(row, name, status, ast.literal_eval(retry))


def _double(source: Source, rows: list[Row]) -> Iterator[str]:
    names = [row.name for row in rows]
    for index, row in enumerate(rows):
        if row.name in names[:index]:
            yield source.at(row.node, f"{row.name} has a row already; a code is defined once")


def _drawing(source: Source, rows: list[Row]) -> Iterator[str]:
    drawn = set(_drawn(ast.get_docstring(source.tree) or ""))
    for row in rows:
        if (row.name, row.status, row.retry) not in drawn:
            yield source.at(row.node, f"{row.name} is not drawn so in the tree on top; draw it")
    known = {(row.name, row.status, row.retry) for row in rows}
    for name, status, retry in sorted(drawn - known):
        yield f"{source.rel}:1: draws {status} {name} (retry: {retry}), which has no such row"


def _drawn(docstring: str) -> Iterator[tuple[str, int, str]]:
    retry = ""
    for line in docstring.splitlines():
        if branch := DRAWN_BRANCH.search(line):
            retry = branch[2]
        elif codes := DRAWN_CODES.match(line):
            for name in codes[2].split():
                yield name, int(codes[1]), retry


def _raised(source: Source, rows: list[Row]) -> Iterator[str]:
    retry_of = {row.name: row.retry for row in rows}
    for node, kind, name in _named(source):
        if name not in retry_of:
            yield source.at(node, f"{name!r} is no code; add its row to {HOME}")
        elif retry_of[name] != RETRY_OF.get(kind, retry_of[name]):
            yield source.at(node, f"{name} is not a code of {kind}; its retry is {retry_of[name]}")


def _named(source: Source) -> Iterator[tuple[ast.Call, str, str]]:
    called = dict(_of_codes(source))
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or id(node.func) not in called:
            continue
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield node, called[id(node.func)], first.value


def _of_codes(source: Source) -> Iterator[tuple[int, str]]:
    # The log has an OutcomeUnknown of its own: only what comes from the home of the codes counts.
    for node, name in dotted_uses(source):
        home, _, last = name.rpartition(".")
        if home == MODULE and last in {*RETRY_OF, "problem"}:
            yield id(node), last


def _unused(source: Source, rows: list[Row], elsewhere: list[Source]) -> Iterator[str]:
    used = {constant.value for other in elsewhere for constant in strings(other)}
    for row in rows:
        if row.name not in used:
            yield source.at(row.node, f"{row.name} is used nowhere; remove it, row and drawing")
