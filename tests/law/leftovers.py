"""What must not stay behind in a text file, and locks that work on any mirror."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.law.tree import texts

# The patterns are spelled so that this file does not break them itself.
EVERYWHERE: dict[str, str] = {
    r"(?<![\w.~-])/(?:work|root|home/[a-z][\w-]*|tmp/bash_jobs)(?=/|\b[^/\w])": (
        "a path of one machine; write it relative to the root"
    ),
    r"python[h]osted|pypi[.](?:org|io)|[.]whl\b|registry[.]npm|proxy[.]golang": (
        "an address of a package registry; the lock must work on any mirror"
    ),
    r"[.][.]/shared": "a path outside of the tree; the tree stands alone",
}
IN_CODE: dict[str, str] = {
    r"#.*\b(?:TO[D]O|FIX[M]E|XX[X])\b": "an unfinished thought; finish it or open an issue",
    r"#\s*type:\s*ignore(?!\[)": "an ignore without a code; say which error and why",
    r"#\s*(?:ruff:\s*)?no[q]a(?!:\s*[A-Z])": "a silenced rule without its code; say which",
}
LOCKED = re.compile(r"^[A-Za-z0-9][\w.-]*==\S+")


def violations(root: Path) -> list[str]:
    """Every leftover, and every lock line that is bound to one place or to nothing."""
    found: list[str] = []
    for rel, text in texts(root):
        found.extend(_matches(rel, text, EVERYWHERE))
        if rel.endswith(".py"):
            found.extend(_matches(rel, text, IN_CODE))
        if rel.endswith(".lock"):
            found.extend(_lock(rel, text.splitlines()))
    return found


def _matches(rel: str, text: str, patterns: dict[str, str]) -> Iterator[str]:
    for pattern, why in patterns.items():
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{rel}:{line}: {match.group().strip()!r} is {why}"


def _lock(rel: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if line.startswith("-") or "://" in line:
            yield f"{rel}:{number}: {line!r} binds the lock to a place; run make lock"
        following = lines[number] if number < len(lines) else ""
        if LOCKED.match(line) and "--hash=sha256:" not in following:
            yield f"{rel}:{number}: {line!r} has no hash; run make lock"
