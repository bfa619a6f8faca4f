"""Names that say nothing: a thing is called by what it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.law.tree import Source, sources

BANNED = frozenset({"utils", "util", "helpers", "helper", "manager", "common", "base", "info"})


def violations(root: Path) -> list[str]:
    """Folders, modules, classes and functions with an empty name."""
    return [line for source in sources(root) for line in _of(source)]


def _of(source: Source) -> Iterator[str]:
    for part in source.parts:
        if BANNED & _words(part.removesuffix(".py")):
            yield f"{source.rel}:1: {part!r} says nothing; name it after what it holds"
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if _is_empty(node.name):
            yield source.at(node, f"{node.name!r} says nothing; name it after what it is or does")


def _is_empty(name: str) -> bool:
    # A class called FooManager hides what it does as well as one called Manager.
    return name.strip("_").lower() in BANNED or name.endswith(("Manager", "Helper", "Base", "Info"))


def _words(name: str) -> set[str]:
    return set(name.lower().replace("-", "_").split("_"))
