"""`python -m checker HISTORY.jsonl...`: the verdict on files of one run; exit 1 unless clean."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from checker.history import merge, read
from checker.judge import judge
from checker.limits import Limits
from checker.report import json, markdown


def main(words: Sequence[str]) -> int:
    """Judge what the words of a command line name; prints a page, or JSON."""
    parser = argparse.ArgumentParser(prog="checker", description=__doc__)
    parser.add_argument("history", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--no-hints", action="store_true", help="Redis was emptied in this run")
    order = parser.parse_args(words)
    verdict = judge(merge(map(read, order.history)), Limits(hints=not order.no_hints))
    print(json(verdict).decode() if order.json else markdown(verdict))
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
