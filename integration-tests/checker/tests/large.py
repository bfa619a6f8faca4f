"""`python -m checker.tests.large [channels] [posts] [readers]`: judges a large clean history, from
its file, and says how long that took. Without words: 100,000 posts, a million deliveries and more.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from checker.history import Writer, merge, read
from checker.judge import judge
from checker.report import markdown
from checker.tests.world import World


def main(words: Sequence[str]) -> int:
    """Make, write, read, judge; exit 1 unless clean."""
    channels, posts, readers = map(int, words or ("50", "2000", "10"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.jsonl"
        _write(path, channels, posts, readers)
        began = time.perf_counter()
        history = merge([read(path)])
        was_read = time.perf_counter()
        verdict = judge(history)
    print(markdown(verdict))
    judged_s, read_s = time.perf_counter() - was_read, was_read - began
    print(f"{len(history)} events: read in {read_s:.1f} s, judged in {judged_s:.1f} s")
    return 0 if verdict.is_clean else 1


def _write(path: Path, channels: int, posts: int, readers: int) -> None:
    with Writer(path) as writer:
        for number in range(channels):
            world = World(1, posts, readers, trouble=0.05, channel=f"c{number}")
            for event in world.history():
                writer.write(event)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
