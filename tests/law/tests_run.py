"""Tests run and do not sleep; every module of the product is imported by a test."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.law.names_in import dotted_uses, imports
from tests.law.tree import Source, sources

SKIPS = frozenset(
    {"pytest.skip", "pytest.xfail", "pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"}
)
SLEEPS = frozenset({"time.sleep", "asyncio.sleep"})
LAW = ("tests", "law")
NOT_MODULES = frozenset({"__init__.py", "__main__.py"})


def violations(root: Path) -> list[str]:
    """Skips without reason, sleeps in tests, modules that no test imports."""
    seen = list(sources(root))
    tests = [source for source in seen if source.is_test]
    return [
        *(line for source in tests for line in (*_skips(source), *_sleeps(source))),
        *_untested(seen, _imported([test for test in tests if test.parts[:2] != LAW])),
    ]


def _skips(source: Source) -> Iterator[str]:
    called = {id(node.func): node for node in ast.walk(source.tree) if isinstance(node, ast.Call)}
    for node, name in dotted_uses(source):
        if name in SKIPS and not _has_reason(name, called.get(id(node))):
            yield source.at(node, f"{name} without a reason; say why, or make the test run")


def _has_reason(name: str, call: ast.Call | None) -> bool:
    if call is None:
        return False
    by_name = any(keyword.arg == "reason" for keyword in call.keywords)
    return by_name or (bool(call.args) and ".mark." not in name)


def _sleeps(source: Source) -> Iterator[str]:
    if source.parts[:2] == ("libs", "testing"):
        return
    used = {id(node) for node, name in dotted_uses(source) if name in SLEEPS}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and id(node.func) in used and not _yields_only(node):
            yield source.at(node, "sleeps in a test; wait for what should be true, with a deadline")


def _yields_only(call: ast.Call) -> bool:
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and not call.args[0].value


def _imported(tests: list[Source]) -> set[str]:
    names = {one.name for source in tests for one in imports(source)}
    return names | {name.rpartition(".")[0] for name in names}


def _is_imported(source: Source, imported: set[str]) -> bool:
    # A folder inside of libs/log or services/gateway is one thing: a test may come by its front.
    package = source.module.rpartition(".")[0]
    return source.module in imported or (package.count(".") > 1 and package in imported)


def _untested(seen: list[Source], imported: set[str]) -> Iterator[str]:
    for source in seen:
        ours = source.parts[0] in {"libs", "services"} and "tests" not in source.parts
        if ours and source.parts[-1] not in NOT_MODULES and not _is_imported(source, imported):
            yield f"{source.rel}:1: no test imports {source.module}; give it a test"
