"""What a file imports and what its names stand for."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from tests.law.tree import Source


class Imported(NamedTuple):
    """One imported thing by its full dotted name, and how it was written."""

    node: ast.stmt
    name: str
    relative: bool
    hint_only: bool


class Text(NamedTuple):
    """A string literal."""

    node: ast.Constant
    value: str


def imports(source: Source) -> Iterator[Imported]:
    """Everything a file imports, at its top and inside functions; relative names are made full."""
    hints = _hint_only(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Imported(node, alias.name, relative=False, hint_only=node in hints)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(source, node)
            for alias in node.names:
                name = f"{origin}.{alias.name}"
                yield Imported(node, name, relative=node.level > 0, hint_only=node in hints)


def dotted_uses(source: Source) -> Iterator[tuple[ast.expr, str]]:
    """Each use of an imported name or of something below it, as (node, full dotted name)."""
    meaning = _meanings(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute | ast.Name):
            spelled = _spelled(node)
            first, _, rest = spelled.partition(".")
            if first in meaning:
                yield node, f"{meaning[first]}.{rest}".rstrip(".")


def strings(source: Source) -> Iterator[Text]:
    """Each string literal that is not a docstring; the fixed parts of f-strings too."""
    prose = {
        id(node.value)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and id(node) not in prose:
            yield from text_of(node)


def text_of(node: ast.expr) -> Iterator[Text]:
    """The literal that a node is, or those that a tuple, list or set of literals holds."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield Text(node, node.value)
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for part in node.elts:
            yield from text_of(part)


def within(name: str, *homes: str) -> bool:
    """Whether a dotted name is one of the homes or below one."""
    return any(name == home or name.startswith(home + ".") for home in homes)


def _origin(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = source.parts[: -node.level]
    return ".".join((*package, node.module) if node.module else package)


def _hint_only(tree: ast.Module) -> set[ast.AST]:
    guarded: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and _spelled(node.test).endswith("TYPE_CHECKING"):
            for statement in node.body:
                guarded.update(ast.walk(statement))
    return guarded


def _meanings(source: Source) -> dict[str, str]:
    meaning: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                meaning[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(source, node)
            for alias in node.names:
                meaning[alias.asname or alias.name] = f"{origin}.{alias.name}"
    return meaning


def _spelled(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_spelled(node.value)}.{node.attr}"
    return ""
