"""The README of a service has six headings and fits on a page."""

from collections.abc import Iterator
from pathlib import Path

HEADINGS = ["Owns", "Reads", "Writes", "Calls", "If it dies", "Limits"]
SERVICE_LINES = 60
ROOT_LINES = 150


def violations(root: Path) -> list[str]:
    """READMEs that are missing, too long, or in another form."""
    found = list(_length(root, root / "README.md", ROOT_LINES))
    for app in sorted((root / "services").glob("*/app.py")):
        found.extend(_service(root, app.parent / "README.md"))
    return found


def _service(root: Path, readme: Path) -> Iterator[str]:
    if not readme.exists():
        yield f"{readme.relative_to(root)}:1: is missing; write what the service owns"
        return
    headings = {
        number: line.lstrip("# ")
        for number, line in enumerate(readme.read_text("utf-8").splitlines(), start=1)
        if line.startswith("## ")
    }
    if list(headings.values()) != HEADINGS:
        number = next(iter(headings), 1)
        wanted = ", ".join(HEADINGS)
        yield f"{readme.relative_to(root)}:{number}: the headings (##) are {wanted}, in this order"
    yield from _length(root, readme, SERVICE_LINES)


def _length(root: Path, readme: Path, most: int) -> Iterator[str]:
    lines = len(readme.read_text("utf-8").splitlines()) if readme.exists() else 0
    if lines > most:
        yield f"{readme.relative_to(root)}:{most + 1}: {lines} lines of {most}; shorten it"
