"""The measures of a function: lines, positional parameters, nesting."""

import ast
from collections.abc import Iterator

from tests.law.tree import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While),
    *(ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match),
)
OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def functions(source: Source) -> Iterator[Function]:
    """Every function of a file, inner ones and methods too."""
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield node


def body_lines(function: Function) -> int:
    """Lines of the body, without docstring; 0 for a declaration (docstring or `...` only)."""
    body = [statement for statement in function.body if not _is_declaration(statement)]
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def positional(function: Function) -> int:
    """Parameters that a caller may give by position, `self` and `cls` not counted."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def is_called_by_pytest(function: Function) -> bool:
    """Whether pytest fills the parameters by name: a test or a fixture."""
    marks = " ".join(ast.unparse(mark) for mark in function.decorator_list)
    return function.name.startswith("test_") or "fixture" in marks


def nesting(node: ast.AST, depth: int = 0) -> int:
    """How deep blocks stand in blocks; an inner function starts anew, `elif` adds nothing."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, OWN_SCOPE):
            continue
        step = isinstance(child, BLOCKS) and not _is_elif(node, child)
        deepest = max(deepest, nesting(child, depth + step))
    return deepest


def _is_elif(parent: ast.AST, child: ast.AST) -> bool:
    if not isinstance(parent, ast.If) or not isinstance(child, ast.If):
        return False
    return parent.orelse == [child] and parent.col_offset == child.col_offset


def _is_declaration(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
        return False
    return isinstance(statement.value.value, str) or statement.value.value is ...
