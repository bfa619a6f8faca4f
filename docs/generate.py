"""Writes `docs/generated/` from the tables in the code: `make docs`.

`python -m docs.generate FOLDER` writes them elsewhere. A page is a function without parameters that
returns Markdown, and a row in `PAGES`.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cli.reference import reference
from libs.runtime.metrics import declared
from libs.runtime.settings import CommandSettings, rows
from libs.wire.codes import CLASSES, CODES
from libs.wire.records import KNOWN
from libs.wire.topics import POOL_PARTITIONS_MAX, POOL_PREFIX, TOPICS, Cleanup, Topic, pool
from services.catalog import NAMES, load

FOLDER = Path(__file__).parent / "generated"
MINUTE_MS = 60_000


def topics() -> str:
    """The page of all topics."""
    head = ("topic", "key", "partitions", "kept", "record types", "written by", "read by", "beats")
    any_pool = pool(0, POOL_PARTITIONS_MAX)
    rows = [_topic(any_pool, f"{POOL_PREFIX}NNN", f"up to {POOL_PARTITIONS_MAX:,}")]
    rows += [_topic(topic, topic.name, str(topic.partitions)) for topic in TOPICS]
    return _page(
        "Topics",
        "libs/wire/topics.py",
        "Each topic of the log. A pool topic holds one channel's log per partition. Where `beats`"
        " names topics, the owner of each of their partitions writes a heartbeat once a second.",
        _table(head, rows),
    )


def codes() -> str:
    """The page of all error codes."""
    head = ("status", "code", "meaning", "retry", "raised as")
    ordered = sorted(CODES.values(), key=lambda code: (code.status, code.name))
    rows = [
        (str(code.status), f"`{code.name}`", code.title, code.retry, CLASSES[code.retry].__name__)
        for code in ordered
    ]
    return _page(
        "Error codes",
        "libs/wire/codes.py",
        "Each code that a problem (RFC 9457) can carry. `retry` says what a client does: `no`:"
        " change the request first; `yes`: nothing was done, wait `Retry-After` and send the same"
        " again; `same-key`: it may have been done, send it again with the same `client_id`.",
        _table(head, rows),
    )


def settings() -> str:
    """The page of all settings."""
    kinds: dict[str, type[Any]] = {"": CommandSettings}
    kinds |= {name: load(name).settings for name in NAMES}
    listed = [row for name, kind in kinds.items() for row in rows(name, kind())]
    return _page(
        "Settings",
        "libs/runtime/settings.py` and `services/*/settings.py",
        "Environment variables, their defaults (which work embedded), and what they are for."
        " `python -m services all --check` prints those in force.",
        _table(
            ("variable", "default", "what it is"),
            [(f"`{name}`", f"`{value}`" if value else "", says) for name, value, says in listed],
        ),
    )


def metrics() -> str:
    """The page of all metrics."""
    for name in NAMES:
        load(name)
    return _page(
        "Metrics",
        "libs/runtime/metrics.py`, `libs/runtime/positions.py` and `services/*/metrics.py",
        "What `/metrics` on the admin listener shows, without what Python itself adds.",
        _table(
            ("metric", "type", "what it is"),
            [(f"`{name}`", kind, says) for name, kind, says in declared()],
        ),
    )


def commands() -> str:
    """The page of all commands."""
    return _page(
        "Commands",
        "cli",
        "`.venv/bin/rostrum` is there once `make up` ran; `python -m cli` is the same. Of an"
        " embedded deployment the log is a file, which is looked at while its process serves it,"
        " and health and metrics are on its admin listener; its Redis is inside of the process,"
        " where no command can look: `check` says so, `lag` shows what views committed instead.",
        reference(),
    )


PAGES: dict[str, Callable[[], str]] = {
    "topics.md": topics,
    "codes.md": codes,
    "settings.md": settings,
    "metrics.md": metrics,
    "commands.md": commands,
}


def write(folder: Path) -> None:
    """Write every page into `folder`, and remove pages that no row makes any more."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in PAGES:
            old.unlink()
    for name, page in PAGES.items():
        (folder / name).write_text(page(), "utf-8")


def _topic(topic: Topic, name: str, partitions: str) -> tuple[str, ...]:
    types = [f"`{kind}`" for kind, record in KNOWN.items() if record in topic.holds]
    readers, writers = ", ".join(topic.readers), ", ".join(topic.writers)
    kept, held = _kept(topic), ", ".join(types)
    beats = ", ".join(f"`{source.name}`" for source in topic.sources) or "-"
    return (f"`{name}`", topic.key, partitions, kept, held, writers, readers, beats)


def _kept(topic: Topic) -> str:
    if topic.cleanup is Cleanup.AGE:
        return f"{topic.kept_ms // MINUTE_MS} min"
    return "forever" if topic.cleanup is Cleanup.NEVER else "newest of each key"


def _page(title: str, source: str, says: str, table: str) -> str:
    return f"# {title}\n\n{says}\n\nMade from `{source}` by `make docs`.\n\n{table}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
