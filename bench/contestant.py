"""What is measured: a server that can be started, listened to and sent a message."""

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from bench.callers import Calling
from bench.usage import cpu_ns, rss_bytes
from bench.ways import Listening, Way
from deploy.local.program import Program

# A process of this machine has at most 20,000 descriptors.
CONNECTIONS_OF_A_PROCESS = 19_000
# How long the last of all may take to be let in, after it was told that it listens.
SETTLES_S = 30.0
LOOK_EVERY_S = 0.02


class Contestant(ABC):
    """A server on `cpu` (None: anywhere). Ids of its messages rise by one, from `next_id` on.

    One that `remembers` gives a message also to who polls after it was sent. One that refuses some
    where all come at once is given no more than `connects_per_s` (0: all at once). One that
    `has_long` messages takes texts of 16 KiB.
    """

    name: str
    ways: frozenset[Way]
    remembers = True
    has_long = False
    connects_per_s = 0.0

    def __init__(self, cpu: int | None) -> None:
        self._cpu = cpu
        self.next_id = 1

    @abstractmethod
    def start(self, folder: Path) -> None:
        """Start it, with all that it keeps in `folder`. Raises `CannotStart`."""

    @abstractmethod
    def stop(self) -> None:
        """End it. Harmless when it does not run."""

    @abstractmethod
    def listening(self, way: Way, connections: int) -> Listening:
        """How so many connections, each of somebody else, listen from the last message on."""

    def watching(self, way: Way, connections: int, *, channels: int) -> Listening | None:
        """The same, and each listens to so many channels over its one connection, of which one is
        sent messages; None: it cannot."""
        return None

    def idling(self, way: Way, connections: int) -> Listening | None:
        """How so many listen where no message comes; None: it has no such place."""
        return None

    def has_settled(self, connections: int) -> bool:
        """Whether so many wait since `listening`: asked of servers that neither count for the
        client nor say anything to who waits, before they are sent a message."""
        return True

    @abstractmethod
    def send(self, way: Way) -> None:
        """Send the message `next_id` to all who listen in this way, and count it."""

    def reading(self) -> Calling | None:
        """What a client of its REST routes reads; None: it has none."""
        return None

    def send_long(self, way: Way) -> None:
        """The same with a message as long as it may be, where it `has_long` ones."""
        raise NotImplementedError

    @abstractmethod
    def pids(self) -> Sequence[int]:
        """The processes that do the work."""

    def cpu_ns(self) -> int:
        """CPU time that it took."""
        return cpu_ns(self.pids())

    def rss_bytes(self) -> int:
        """Memory that it takes."""
        return rss_bytes(self.pids())

    def pinned(self, command: Sequence[str]) -> list[str]:
        """The command, on the contestant's CPU."""
        if self._cpu is None or shutil.which("taskset") is None:
            return list(command)
        return ["taskset", "-c", str(self._cpu), *command]


def settle(contestant: Contestant, connections: int) -> None:
    """Return when so many wait there. Raises `TimeoutError`."""
    deadline = time.monotonic() + SETTLES_S
    while not contestant.has_settled(connections):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all of {connections} listen after {SETTLES_S:.0f} s")
        time.sleep(LOOK_EVERY_S)


def pids_of(programs: Sequence[Program]) -> list[int]:
    """Those that run."""
    return [program.pid for program in programs if program.pid is not None]


def processes_for(connections: int) -> int:
    """How many processes hold so many connections."""
    return -(-connections // CONNECTIONS_OF_A_PROCESS)
