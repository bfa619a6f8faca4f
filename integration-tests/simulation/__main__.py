"""`python -m simulation 1-5000`: live through seeds and say what was wrong with them."""

import argparse
import time
from collections.abc import Iterable

from .seeds import Result, fresh, live_all, parsed

WRONGS_SHOWN = 5


def main() -> int:
    """Exit code: 1 when a seed was wrong."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("seeds", nargs="*", help="such as 4711, 1-5000 or 3,7-9; none: fresh ones")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin none after it")
    parser.add_argument("--traces", action="store_true", help="print the trace's digest of each")
    asked = parser.parse_args()
    seeds: Iterable[int] = parsed(" ".join(asked.seeds)) if asked.seeds else fresh()
    began_s = time.monotonic()
    lived, failed = set(), []
    for result in live_all(seeds, until_s=asked.seconds):
        lived.add(result.seed)
        if asked.traces:
            print(result.world, result.seed, result.trace)
        if result.wrongs:
            failed.append(result)
            tell(result)
    a_minute = round(len(lived) / (time.monotonic() - began_s) * 60)
    print(f"simulation: {len(lived)} seeds, {len(failed)} wrong, {a_minute} a minute")
    return 1 if failed or not lived else 0


def tell(result: Result) -> None:
    """Print what was wrong with a seed, and how to see it again."""
    print(f"seed {result.seed} ({result.world}):")
    for wrong in result.wrongs[:WRONGS_SHOWN]:
        print(f"  {wrong}")
    print(f"  replay: make simulate SEEDS={result.seed}")


if __name__ == "__main__":
    raise SystemExit(main())
