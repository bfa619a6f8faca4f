"""`python -m faults --seed 7`: one seed, in namespaces of its own, from start to verdict.

As network, mounts and processes are not shared with the rest of the machine, nothing is left behind
however it ends, and it ends with whoever started it. Needs root.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checker.history import merge, read
from faults.alone import alone
from faults.plan import DRILLS, drill, plan
from faults.report import line_of, report_of, write
from faults.run import HISTORY, ROOT, run
from faults.start import BROKERS_DATA

BUILD = ROOT / "build" / "faults"
MEMORY = BUILD / "memory"
MEMORY_BYTES = 4 << 30
RATE, LEAST = 50.0, 20_000
INSIDE = "FAULTS_INSIDE"


def main() -> int:
    """0 when every law held, 1 when one was broken."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rate", type=float, default=RATE, help="posts a second")
    parser.add_argument("--least", type=int, default=LEAST, help="posts at least")
    parser.add_argument("--drill", choices=DRILLS, help="instead of the plan of the seed")
    parser.add_argument("--judge", action="store_true", help="the history that is there, again")
    asked = parser.parse_args()
    name = asked.drill or str(asked.seed)
    folder, lacks = BUILD / name, list[str]()
    if not asked.judge:
        if INSIDE not in os.environ:
            return alone(["-m", "faults", *sys.argv[1:]], {**os.environ, INSIDE: "1"})
        periods = drill(asked.drill) if asked.drill else plan(asked.seed)
        with _in_memory(folder) as work:
            lacks = asyncio.run(run(work, asked.seed, periods, rate=asked.rate, least=asked.least))
    report = report_of(asked.seed, merge([read(folder / HISTORY)]), lacks)
    write(
        report,
        folder,
        replay=f"PYTHONPATH=.:integration-tests python -m faults {' '.join(sys.argv[1:])}",
    )
    print(line_of(report))
    for finding in report.findings:
        print(f"  {finding}")
    return 0 if report.is_clean else 1


@contextmanager
def _in_memory(folder: Path) -> Iterator[Path]:
    """A folder in memory, of which history and logs are in `folder` at the end. What is killed is a
    process and not the machine, and a disk that others use as well is slower than the timeouts of
    controllers."""
    shutil.rmtree(folder, ignore_errors=True)
    MEMORY.mkdir(parents=True, exist_ok=True)
    # Nobody else sees this mount, and it ends with the last process in here.
    mount = ("mount", "-t", "tmpfs", "-o", f"size={MEMORY_BYTES}", "faults", str(MEMORY))
    subprocess.run(mount, check=True)
    try:
        yield MEMORY
    finally:
        shutil.copytree(MEMORY, folder, ignore=shutil.ignore_patterns(BROKERS_DATA))


if __name__ == "__main__":
    sys.exit(main())
