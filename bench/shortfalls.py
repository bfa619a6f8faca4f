"""Bars that a run did not reach: by how much, and what `shortfalls.md` says of each."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.results import Results

PAGE = Path(__file__).with_suffix(".md")
HEADING = "## "
NOTHING = "Nothing is written about this one."


def written(page: Path = PAGE) -> dict[str, str]:
    """What stands below each heading of the page, by its `scenario: metric`."""
    _, *parts = page.read_text("utf-8").split(f"\n{HEADING}")
    pairs = (part.partition("\n") for part in parts)
    return {name.strip(): text.strip() for name, _, text in pairs}


def shortfalls(results: Results, texts: Mapping[str, str]) -> Iterator[str]:
    """The section of a report; none where no bar was judged."""
    judged = [row for row in results.rows() if row.holds is not None]
    if not judged:
        return
    yield "\n## Bars that are not reached\n"
    short = [row for row in judged if not row.holds]
    if not short:
        yield "None of those that are judged with so many connections."
    for row in short:
        bar = results.metrics[row.scenario, row.metric].bar
        assert bar is not None
        yield f"### {row.scenario}: {row.metric}\n"
        yield f"{'; '.join(bar.missed(row.value, row.floor))}.\n"
        yield f"{_text(row.scenario, row.metric, texts)}\n"


def _text(scenario: str, metric: str, texts: Mapping[str, str]) -> str:
    """Of the scenario itself, or of all that begin with the same word."""
    names = (f"{scenario}: {metric}", f"{scenario.partition(' ')[0]}: {metric}")
    return next((texts[name] for name in names if name in texts), NOTHING)
