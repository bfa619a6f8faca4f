"""Sizes: of files, functions, parameter lists, nesting and lines."""

from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path

from tests.law.functions import body_lines, functions, is_called_by_pytest, nesting, positional
from tests.law.tree import Source, sources, texts

COLUMNS = 100
FILE_LINES = 400
FILE_LINES_P50 = 120
FUNCTION_LINES = 70
FUNCTION_LINES_P50 = 6
FUNCTION_LINES_P90 = 25
POSITIONAL = 4
NESTING = 3


def violations(root: Path) -> list[str]:
    """Everything over its budget."""
    seen = list(sources(root))
    in_c = [Source(rel, text) for rel, text in texts(root) if rel.endswith((".c", ".h"))]
    return [
        *(line for source in (*seen, *in_c) for line in _file(source)),
        *(line for source in seen for line in _functions(source)),
        *_percentiles([source for source in seen if not source.is_test]),
    ]


def percentile(sizes: Sequence[int], part: float) -> int:
    """The smallest size that at least `part` (0..1) of all sizes do not exceed; 0 of none."""
    if not sizes:
        return 0
    return sorted(sizes)[max(ceil(part * len(sizes)) - 1, 0)]


def _file(source: Source) -> Iterator[str]:
    if len(source.lines) > FILE_LINES:
        yield f"{source.rel}:{FILE_LINES + 1}: {len(source.lines)} lines of {FILE_LINES}; split it"
    for number, line in enumerate(source.lines, start=1):
        if len(line) > COLUMNS:
            yield f"{source.rel}:{number}: {len(line)} columns of {COLUMNS}; break the line"


def _functions(source: Source) -> Iterator[str]:
    for function in functions(source):
        name, size, depth = function.name, body_lines(function), nesting(function)
        if size > FUNCTION_LINES:
            yield source.at(function, f"{name} has {size} lines of {FUNCTION_LINES}; cut it up")
        if depth > NESTING:
            yield source.at(function, f"{name} nests {depth} deep of {NESTING}; name the inside")
        count = positional(function)
        if count > POSITIONAL and not (source.is_test and is_called_by_pytest(function)):
            what = f"{name} takes {count} positional parameters of {POSITIONAL}"
            yield source.at(function, f"{what}; make the rest keyword-only")


def _percentiles(seen: list[Source]) -> Iterator[str]:
    files = {source.rel: len(source.lines) for source in seen}
    bodies = {
        f"{source.rel}:{function.lineno}": size
        for source in seen
        for function in functions(source)
        if (size := body_lines(function))
    }
    yield from _over(files, FILE_LINES_P50, 0.5, "of the files have more lines")
    yield from _over(bodies, FUNCTION_LINES_P50, 0.5, "of the functions have more lines")
    yield from _over(bodies, FUNCTION_LINES_P90, 0.9, "of the functions have more lines")


def _over(sizes: dict[str, int], budget: int, part: float, what: str) -> Iterator[str]:
    now = percentile(list(sizes.values()), part)
    if now > budget:
        place = max(sizes, key=lambda place: sizes[place])
        where = place if ":" in place else f"{place}:1"
        share = f"{1 - part:.0%}"
        yield f"{where}: over {share} {what} than {budget} ({now}); this is the largest"
