"""A run does not outlive whoever started it: the next one has the machine to itself."""

import os
import subprocess
import sys
from pathlib import Path
from select import select

import pytest

from libs.testing.lacking import lacking

ROOT = Path(__file__).parents[3]
PATHS = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'integration-tests'}"}
WITHIN_S = 30.0
# Without an end of its own: what ends it is that its starter is gone.
RUNS = "import os, signal; os.write(1, b'it runs'); signal.pause()"
STARTS = f"import os; from faults.alone import alone; alone(['-c', {RUNS!r}], os.environ)"
# As a test starts `python -m faults`.
TESTS = f"""
import subprocess, sys
from deploy.kafka.child import tied
subprocess.run([sys.executable, "-c", {STARTS!r}], preexec_fn=tied())
"""


@pytest.mark.parametrize("who", [STARTS, TESTS], ids=["the command", "its tests"])
def test_a_run_ends_when_who_started_it_is_killed(who: str) -> None:
    if os.geteuid():
        lacking("namespaces are made by root only: run this as root")
    started = subprocess.Popen(
        [sys.executable, "-c", who], cwd=ROOT, env=PATHS, stdout=subprocess.PIPE
    )
    assert started.stdout is not None
    with started, started.stdout as said:
        try:
            assert next_of(said.fileno()) == b"it runs"
        finally:
            started.kill()
        assert next_of(said.fileno()) == b"", "nobody is left who could say anything"


def next_of(descriptor: int) -> bytes:
    """What it says next; nothing once all are gone who have it open."""
    ready, _, _ = select([descriptor], [], [], WITHIN_S)
    assert ready, f"neither a word nor an end within {WITHIN_S:.0f} s"
    return os.read(descriptor, 4_096)
