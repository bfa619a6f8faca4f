"""No packet between two of the suite's processes, in either direction, while everybody else reaches
both: rules of iptables in the network namespace of the run.

All share one address. So each process runs under a group id of its own, by which its sockets are
known, and a connection from one to a port of the other is marked at its first packet.
"""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

# Another mark for each cut: a connection keeps its mark for as long as it lives.
_MARKS = count(1)


@dataclass(frozen=True)
class Side:
    """A process: the group id of its sockets (0: it connects to nobody), and where it listens."""

    gid: int
    ports: Sequence[int]


@contextlib.contextmanager
def cut(one: Side, other: Side) -> Iterator[None]:
    """While entered nothing passes. Needs root, and a network namespace of one's own."""
    mark = str(next(_MARKS))
    drop = ("-m", "connmark", "--mark", mark, "-j", "DROP")
    rules = [("OUTPUT", *_marked(a, b, mark)) for a, b in ((one, other), (other, one)) if a.gid]
    rules += [(chain, *drop) for chain in ("OUTPUT", "INPUT")]
    done: list[tuple[str, ...]] = []
    try:
        for rule in rules:
            _iptables("-A", *rule)
            done.append(rule)
        yield
    finally:
        for rule in done:
            _iptables("-D", *rule)


def under(gid: int) -> tuple[str, ...]:
    """The command that becomes another one under this group id, and dies with its parent."""
    return ("setpriv", "--regid", str(gid), "--clear-groups", "--pdeathsig", "KILL")


def _marked(client: Side, server: Side, mark: str) -> Sequence[str]:
    ports = ",".join(map(str, server.ports))
    known = ("-p", "tcp", "-m", "owner", "--gid-owner", str(client.gid))
    to = ("-m", "multiport", "--dports", ports)
    return (*known, *to, "-j", "CONNMARK", "--set-mark", mark)


def _iptables(*words: str) -> None:
    subprocess.run(["iptables", "-w", *words], check=True)
