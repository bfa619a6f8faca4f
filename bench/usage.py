"""What processes take of the machine, as Linux counts it."""

import os
from collections.abc import Iterable
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_ns(pids: Iterable[int]) -> int:
    """How long they ran on a CPU since they began, all threads together, in nanoseconds."""
    threads = (Path(f"/proc/{pid}/task").glob("*/schedstat") for pid in pids)
    return sum(_ran_ns(stat) for stats in threads for stat in stats)


def rss_bytes(pids: Iterable[int]) -> int:
    """Memory that is in use now; sockets are the kernel's and not in it."""
    return sum(int(_read(Path(f"/proc/{pid}/statm")).split()[1]) for pid in pids) * PAGE_BYTES


def _ran_ns(stat: Path) -> int:
    text = _read(stat)
    return int(text.split()[0]) if text else 0


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
        return ""


def family(pid: int) -> list[int]:
    """A process and all that it started, and these started, as far as they live."""
    children = _read(Path(f"/proc/{pid}/task/{pid}/children")).split()
    return [pid, *(each for child in children for each in family(int(child)))]
