"""The summary counts, and fails a run that looks green but is not whole."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from libs.log.tests.contract_summary import absent, faults

ROOT = Path(__file__).parents[3]
RUN_S = 60

CONFTEST = """
from libs.log.tests.conftest import pytest_configure
"""
ADAPTERS = """
import pytest
from libs.log.contract import LogContract
from libs.log.sqlite import open_sqlite

class TestWhole(LogContract):
    @pytest.fixture
    async def log(self):
        log = await open_sqlite(":memory:", now_ms=lambda: 1)
        yield log
        await log.close()

class TestOther(TestWhole):
    {sin}
"""


def run(folder: Path, sin: str) -> tuple[int, str]:
    """Exit code and output of a run of two adapters, of which the second has a sin."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_adapters.py").write_text(ADAPTERS.format(sin=sin))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    options = [f"--rootdir={folder}", "-o", "asyncio_mode=auto", "-o", f"pythonpath={ROOT}"]
    done = subprocess.run(
        [*command, *options, str(folder)],
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        cwd=folder,
    )
    return done.returncode, done.stdout


def test_equal_counts_without_skips_are_whole() -> None:
    assert faults({"a": Counter(passed=3), "b": Counter(passed=2, failed=1)}) == []


def test_a_skip_and_a_lesser_count_are_faults() -> None:
    found = faults({"a": Counter(passed=3), "b": Counter(passed=2, skipped=1)})
    assert found == ["b skipped 1 contract tests", "b ran 2 contract tests of 3"]


def test_an_adapter_without_its_broker_is_a_fault_only_where_all_must_run() -> None:
    counts = {"a": Counter(passed=3), "b": Counter(skipped=3)}
    assert absent(counts) == ["b"]
    assert faults(counts, must_all_run=False) == []
    assert faults(counts) == ["b skipped 3 contract tests", "b ran 0 contract tests of 3"]


@pytest.mark.parametrize(
    ("sin", "told"),
    [
        ("test_offsets_rise_by_one_from_zero = None", "CONTRACT BROKEN: TestOther ran"),
        (
            "@pytest.mark.skip(reason='no')\n    def test_offsets_rise_by_one_from_zero(self): ...",
            "CONTRACT BROKEN: TestOther skipped 1",
        ),
    ],
    ids=["missing", "skipped"],
)
def test_a_run_with_a_planted_sin_fails_and_names_it(tmp_path: Path, sin: str, told: str) -> None:
    code, output = run(tmp_path, sin)
    assert (code, told in output) == (1, True), output


def test_a_whole_run_passes_with_a_line_per_adapter(tmp_path: Path) -> None:
    code, output = run(tmp_path, "pass")
    assert code == 0, output
    lines = [line for line in output.splitlines() if line.startswith(("TestWhole", "TestOther"))]
    assert len(lines) == 2
    assert lines[0].partition(":")[2] == lines[1].partition(":")[2]
