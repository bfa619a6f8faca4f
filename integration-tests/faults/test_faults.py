"""Seeds and drills of faults on a whole suite, each judged. `make test-faults SEEDS="1 2 3"`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.kafka.child import tied
from faults.plan import AWAY, FLUSHED
from libs.testing.lacking import lacking

SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "1").split()]
# Of a run; its own bound is over the 12 minutes that one takes on two cores.
RUN_S = 19 * 60.0
FAULTS_MIN, POSTS_MIN = 40, 20_000
# While Redis is away altogether: a failover of nothing, only answers that are not waited for.
AWAY_S = 5.0

pytestmark = [pytest.mark.faults, pytest.mark.timeout(20 * 60)]
ROOT = Path(__file__).parents[2]


def ran(figures: list[str], name: str, *arguments: str) -> dict[str, Any]:
    """The report of a run; its summary is printed at the end."""
    if os.geteuid():
        lacking("network namespaces and small disks are made by root only: run this as root")
    done = subprocess.run(
        [sys.executable, "-m", "faults", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'integration-tests'}"},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        preexec_fn=tied(),
        check=False,
    )
    said = f"{done.stdout[-4_000:]}\n{done.stderr[-4_000:]}"
    figures.extend(line for line in done.stdout.splitlines() if line.startswith("seed "))
    assert done.returncode == 0, (
        f"again: PYTHONPATH=.:integration-tests python -m faults {' '.join(arguments)}\n{said}"
    )
    report: dict[str, Any] = json.loads(
        (ROOT / "build" / "faults" / name / "report.json").read_text("utf-8")
    )
    return report


@pytest.mark.law("L1", "L2", "L3", "L4", "L5", "L8")
@pytest.mark.parametrize("seed", SEEDS)
def test_no_law_is_broken_under_faults(seed: int, figures: list[str]) -> None:
    """Forty faults and more, 20,000 posts and more, and every law of the log holds."""
    report = ran(figures, str(seed), "--seed", str(seed))
    assert report["findings"] == []
    assert report["faults"] >= FAULTS_MIN
    assert report["posts"] >= POSTS_MIN
    evidence = report["evidence"]
    assert evidence["unknown_outcomes"], "no outcome was unknown: the faults did not bite"
    assert evidence["retries_with_the_first_id"], "no retry found its original"
    assert evidence["retries_before_their_originals"], "no retry landed before its original"


@pytest.mark.law("L7")
def test_redis_flushed_amid_5000_posts_with_retries_breaks_nothing(figures: list[str]) -> None:
    report = ran(figures, FLUSHED, "--seed", "5", "--drill", FLUSHED, "--least", "5000")
    assert report["findings"] == []
    assert report["posts"] >= 5_000


def test_with_redis_away_posts_and_delivery_go_on(figures: list[str]) -> None:
    """20 s without any Redis."""
    report = ran(figures, AWAY, "--seed", "6", "--drill", AWAY, "--least", "2000")
    assert report["findings"] == []
    (figure,) = (each for each in report["figures"] if each["sort"].endswith("redis"))
    assert figure["posts_alone_s"] < AWAY_S
    assert figure["delivery_alone_s"] < AWAY_S
