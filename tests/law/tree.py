"""The files of a tree as the laws see them."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

IGNORED_ALWAYS = (".git",)


class Source:
    """A Python file: `rel` is its path below the root, with slashes."""

    def __init__(self, rel: str, text: str) -> None:
        self.rel = rel
        self.text = text
        self.parts = tuple(rel.split("/"))

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax. Raises `SyntaxError`."""
        return ast.parse(self.text, self.rel)

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, without their ends."""
        return self.text.splitlines()

    @cached_property
    def is_test(self) -> bool:
        """Whether it runs in tests only: test folders, `libs/testing` and the contract suites."""
        return (
            "tests" in self.parts[:-1]
            or self.parts[0] == "integration-tests"
            or self.parts[:2] == ("libs", "testing")
            or (self.parts[0] == "libs" and self.parts[-1] == "contract.py")
        )

    @cached_property
    def module(self) -> str:
        """The dotted name by which others import it."""
        return ".".join(self.parts).removesuffix(".py").removesuffix(".__init__")

    def at(self, node: ast.AST, what: str) -> str:
        """A violation at a node."""
        return f"{self.rel}:{getattr(node, 'lineno', 1)}: {what}"


def files(root: Path) -> Iterator[Path]:
    """Every file below `root` that git would keep, in order."""
    return _walk(root, _ignored(root))


def sources(root: Path) -> Iterator[Source]:
    """Every Python file below `root`."""
    for path in files(root):
        if path.suffix == ".py":
            yield Source(path.relative_to(root).as_posix(), path.read_text("utf-8"))


def production(root: Path) -> Iterator[Source]:
    """The Python files that run in production."""
    return (source for source in sources(root) if not source.is_test)


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Path and content of every text file below `root`."""
    for path in files(root):
        raw = path.read_bytes()
        if b"\0" not in raw:
            yield path.relative_to(root).as_posix(), raw.decode("utf-8", "replace")


def _ignored(root: Path) -> tuple[str, ...]:
    rules = root / ".gitignore"
    lines = rules.read_text("utf-8").split() if rules.exists() else []
    return (*IGNORED_ALWAYS, *(line.rstrip("/") for line in lines))


def _walk(folder: Path, ignored: tuple[str, ...]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or any(fnmatch(path.name, rule) for rule in ignored):
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and not (path / "pyvenv.cfg").exists():
            yield from _walk(path, ignored)
