"""Tests that hold a law of the log carry it: `@pytest.mark.law("L1")`.

They run first, for what matters most should fail first, and the summary names the laws that a
failed run broke. `docs/laws.md` names the same tests (`test_laws_page.py`).
"""

from collections.abc import Iterator

import pytest

LAWS_OF = pytest.StashKey[dict[str, tuple[str, ...]]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Those that hold a law first, otherwise in their order."""
    laws = {item.nodeid: held for item in items if (held := tuple(_held(item)))}
    config.stash[LAWS_OF] = laws
    items.sort(key=lambda item: item.nodeid not in laws)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """One line per law and failed test."""
    laws = config.stash.get(LAWS_OF, {})
    for outcome in ("failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            for law in laws.get(report.nodeid, ()):
                terminalreporter.write_line(f"law broken: {law} by {report.nodeid}")


def _held(item: pytest.Item) -> Iterator[str]:
    for mark in item.iter_markers("law"):
        yield from mark.args
