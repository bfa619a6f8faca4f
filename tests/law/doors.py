"""One door per third-party name, and for environment, signals, wall clock and tasks.

A third-party name without a row here has no door yet: add the row with the library's decision.
"""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from tests.law.names_in import dotted_uses, imports, within
from tests.law.tree import Source, production

OURS = frozenset(
    {"bench", "cli", "demo", "deploy", "libs", "rostrum", "services", "docs", "tests", "harness"}
)
HINTS_ALLOWED = frozenset({"redis"})

# The client is a distribution of its own, with doors of its own.
CLIENT = "clients/python/src/rostrum/"
EXAMPLES = "clients/python/examples/*"
WEB = ("libs/runtime/*", "services/*/routes.py", "services/*/routes/*", "services/*/app.py")
DOORS: dict[str, tuple[str, ...]] = {
    "aiohttp": (f"{CLIENT}*", EXAMPLES),
    "argon2": ("services/session/*",),
    "click": ("cli/*",),
    "confluent_kafka": ("bench/floors/producer.py", "libs/log/kafka/*"),
    "cryptography": ("libs/runtime/*",),
    "fakeredis": ("libs/store/*",),
    "fastapi": (*WEB, "services/gateway/*"),
    "httptools": ("services/gateway/http_line.py",),
    "httpx": ("libs/runtime/*",),
    "ijson": ("cli/importing/*",),
    "jwt": (
        "bench/tokens.py",
        "libs/runtime/keys.py",
        "services/gateway/keys.py",
        "services/gateway/tokens.py",
    ),
    "matplotlib": ("bench/plots.py",),
    "msgspec": ("libs/wire/codec.py", f"{CLIENT}*"),
    "prometheus_client": ("libs/runtime/metrics.py",),
    "pydantic": WEB,
    "redis": ("libs/store/*",),
    "rich": ("cli/*",),
    "signal": ("libs/runtime/process.py", "libs/runtime/workers.py", "deploy/*"),
    "sqlite3": ("libs/log/*", f"{CLIENT}*", EXAMPLES, "cli/*"),
    "starlette": (*WEB, "services/gateway/*"),
    "structlog": ("libs/runtime/*",),
    "textual": ("cli/chat/*",),
    "uvicorn": (
        "libs/runtime/listener.py",
        "services/gateway/http_line.py",
        "services/gateway/ws_line.py",
    ),
    "uvloop": ("bench/floors/bare.py", "libs/runtime/process.py"),
    "websockets": (
        "libs/runtime/*",
        "services/gateway/feed.py",
        "services/gateway/ws_frames.py",
        "services/gateway/ws_handshake.py",
    ),
}

RUNTIME = ("libs/runtime/*",)
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "os.environ": ("libs/runtime/settings.py",),
    "os.getenv": ("libs/runtime/settings.py",),
    "time.time": (*RUNTIME, f"{CLIENT}clock.py"),
    "time.time_ns": RUNTIME,
    "datetime.datetime.now": RUNTIME,
    "datetime.datetime.utcnow": RUNTIME,
    "datetime.datetime.today": RUNTIME,
    "datetime.date.today": RUNTIME,
    "asyncio.create_task": RUNTIME,
    "asyncio.ensure_future": RUNTIME,
}
# Methods of a loop, whatever the loop is called; a task group's `create_task` has an owner.
METHODS: dict[str, tuple[str, ...]] = {
    "create_task": RUNTIME,
    "add_signal_handler": ("libs/runtime/process.py", "libs/runtime/workers.py"),
}


def violations(root: Path) -> list[str]:
    """Everything that goes around a door."""
    return [line for source in production(root) for line in _of(source)]


def _of(source: Source) -> Iterator[str]:
    for one in imports(source):
        first = one.name.partition(".")[0]
        if one.hint_only and first in HINTS_ALLOWED:
            continue
        if first in DOORS and not _open(source, DOORS[first]):
            yield source.at(one.node, f"imports {first}; its door is {', '.join(DOORS[first])}")
        elif not one.relative and first not in DOORS and not _known(first):
            yield source.at(one.node, f"imports {first}, which has no door in tests/law/doors.py")
    for node, name in dotted_uses(source):
        for closed, doors in ATTRIBUTES.items():
            if name == closed and not _open(source, doors):
                yield source.at(node, f"uses {closed}; its door is {', '.join(doors)}")
    yield from _loop_methods(source)


def _loop_methods(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute) or node.attr not in METHODS:
            continue
        doors = METHODS[node.attr]
        if _is_loop(node.value) and not _open(source, doors):
            yield source.at(node, f"uses a loop's {node.attr}; its door is {', '.join(doors)}")


def _is_loop(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        node = node.func
    name = getattr(node, "attr", getattr(node, "id", ""))
    return bool(name.endswith("loop"))


def _open(source: Source, doors: tuple[str, ...]) -> bool:
    return any(fnmatch(source.rel, door) for door in doors)


def _known(name: str) -> bool:
    return name in sys.stdlib_module_names or within(name, *OURS)
