"""At the end of a run: how many contract tests each adapter passed, and whether that is all.

A run of whole adapters fails when one of them ran other tests than the rest, or skipped any. An
adapter that skipped all has no broker here: that is said, and with `CI=true` it fails as well. A
run of single tests (`-k`, `::`) is not judged.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import pytest

from libs.log.contract import LogContract

OUTCOMES = ("passed", "failed", "skipped")
Counts = Mapping[str, Counter[str]]


def absent(counts: Counts) -> list[str]:
    """The adapters that could not be run here: all skipped."""
    return [a for a, each in counts.items() if each["skipped"] == each.total()]


def faults(counts: Counts, *, must_all_run: bool = True) -> list[str]:
    """What is wrong with the counts (adapter to outcomes) of a whole run."""
    if not must_all_run:
        counts = {a: each for a, each in counts.items() if a not in absent(counts)}
    ran = {adapter: each["passed"] + each["failed"] for adapter, each in counts.items()}
    most = max(ran.values(), default=0)
    return [
        *(
            f"{a} skipped {each['skipped']} contract tests"
            for a, each in counts.items()
            if each["skipped"]
        ),
        *(f"{a} ran {n} contract tests of {most}" for a, n in ran.items() if n != most),
    ]


class ContractSummary:
    """The hooks; register one per run."""

    def __init__(self, config: pytest.Config) -> None:
        self._adapters: dict[str, str] = {}
        self._worst: dict[str, str] = {}
        self._is_part = any("::" in argument for argument in config.args)

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            case = getattr(item, "cls", None)
            if case is not None and issubclass(case, LogContract):
                self._adapters[item.nodeid] = case.__name__

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            self._is_part = self._adapters.pop(item.nodeid, None) is not None or self._is_part

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # Set-up, call and tear-down each report; a test is as bad as its worst part.
        if report.nodeid in self._adapters:
            before = self._worst.get(report.nodeid, "passed")
            self._worst[report.nodeid] = max(before, report.outcome, key=_badness)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._faults():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        counts = self._counts()
        if counts:
            terminalreporter.section("contract of the log")
        for adapter, each in sorted(counts.items()):
            told = ", ".join(f"{each[outcome]} {outcome}" for outcome in OUTCOMES)
            terminalreporter.write_line(f"{adapter}: {told}")
        for adapter in absent(counts):
            terminalreporter.write_line(f"NOT RUN HERE: {adapter}", yellow=True)
        for fault in self._faults():
            terminalreporter.write_line(f"CONTRACT BROKEN: {fault}", red=True)

    def _counts(self) -> Counts:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for nodeid, outcome in self._worst.items():
            counts[self._adapters[nodeid]][outcome] += 1
        return counts

    def _faults(self) -> list[str]:
        must_all_run = os.environ.get("CI") == "true"
        return [] if self._is_part else faults(self._counts(), must_all_run=must_all_run)


def _badness(outcome: str) -> int:
    return ("passed", "skipped", "failed").index(outcome)
