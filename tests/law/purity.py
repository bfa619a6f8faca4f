"""model.py is values and rules; handlers.py is readable without knowing FastAPI or a driver."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.law.names_in import imports, within
from tests.law.tree import Source, production

OUTSIDE = (
    *("asyncio", "concurrent", "io", "multiprocessing", "os", "pathlib", "select", "shutil"),
    *("signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time"),
    *("urllib", "http", "libs.log", "libs.store", "libs.runtime"),
)
DRIVERS = (
    *("confluent_kafka", "fakeredis", "fastapi", "httpx", "pydantic", "redis", "sqlite3"),
    *("starlette", "uvicorn", "websockets", "libs.log.sqlite", "libs.log.kafka"),
)
WAITING = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
READING = frozenset({"open", "input", "print"})


def violations(root: Path) -> list[str]:
    """Models that wait, read or tell the time; handlers that know their drivers."""
    return [line for source in production(root) for line in _of(source)]


def _of(source: Source) -> Iterator[str]:
    if source.parts[0] != "services":
        return
    if _is(source, "model"):
        yield from _imports(source, (*OUTSIDE, *DRIVERS), "a model has no clock, I/O or driver")
        yield from _acts(source)
    if _is(source, "handlers"):
        yield from _imports(source, DRIVERS, "a handler gets a port as its parameter")


def _is(source: Source, name: str) -> bool:
    return source.parts[-1] == f"{name}.py" or name in source.parts[:-1]


def _imports(source: Source, banned: tuple[str, ...], why: str) -> Iterator[str]:
    for one in imports(source):
        if within(one.name, *banned):
            yield source.at(one.node, f"imports {one.name}; {why}")


def _acts(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, WAITING):
            yield source.at(node, "waits; a model is plain functions, await in the handler")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in READING:
            yield source.at(node, "does I/O; hand the model what it needs")
