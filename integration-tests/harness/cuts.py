"""Cuts: each process in a network namespace of its own, so that any two can be parted.

The namespaces hang on one bridge. A cut gives each of the two a neighbour's address for the other
that nobody has: packets leave and arrive nowhere, as when a cable is pulled, and no connection
is told. Linux and root only, with `ip` (iproute2). All of it is named after the process that made
it; what one left that was killed is removed by the next.
"""

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from deploy.kafka.child import Home
from libs.testing.lacking import lacking

# Kept free for tests of networks (RFC 2544), so nobody's own network is hidden: 512 of 256.
SUBNETS = [f"198.{18 + at // 256}.{at % 256}" for at in range(512)]
# What fits into 15 characters, the most that a link's name may have, is under 100.
HOMES_MAX = 99
# Of no card: a bridge asks all, and none takes it.
NOWHERE = "02:00:00:00:00:00"
OURS = re.compile(r"\bc(\d+)x\d+")
IP_S = 30.0

_serials = itertools.count()


class CannotCut(Exception):
    """Why nothing can be cut here."""


class Network:
    """Homes by name, and cuts between them. Made by `network`, in the main thread."""

    def __init__(self) -> None:
        self.tag = f"c{os.getpid()}x{next(_serials)}"
        self._homes: dict[str, Home] = {}
        self._cuts: set[tuple[str, str]] = set()

    def home(self, name: str) -> Home:
        """Where the process of this name lives; made when it is first asked for."""
        if name not in self._homes:
            self._homes[name] = self._made(len(self._homes) + 1)
        return self._homes[name]

    def cut(self, one: str, other: str) -> None:
        """Nothing passes between these two any more. Raises `CannotCut` for a name without home."""
        for name in (one, other):
            if name not in self._homes:
                raise CannotCut(f"{name} is none of {', '.join(self._homes)}")
        for here, there in ((one, other), (other, one)):
            self._cuts.add((here, there))
            self._neighbour("replace", here, there, f" lladdr {NOWHERE} nud permanent")

    def heal(self) -> None:
        """All is whole again."""
        while self._cuts:
            self._neighbour("del", *self._cuts.pop())

    def remove(self) -> None:
        """Nothing is left of it. Its processes must have ended."""
        _remove(self.tag)

    @cached_property
    def _subnet(self) -> str:
        taken = _ip("-4 -o addr show")
        free = (each for each in SUBNETS[os.getpid() % 512 :] + SUBNETS if f" {each}." not in taken)
        subnet = next(free)
        _batch(
            f"link add {self.tag} type bridge",
            f"addr add {subnet}.254/24 dev {self.tag}",
            f"link set {self.tag} up",
        )
        return subnet

    def _made(self, number: int) -> Home:
        assert number <= HOMES_MAX, "more homes than addresses"
        # The namespace and its cable's end on the bridge have one name.
        space = f"{self.tag}.{number}"
        host = f"{self._subnet}.{number}"
        _batch(
            f"netns add {space}",
            f"link add {space} type veth peer name eth0 netns {space}",
            f"link set {space} master {self.tag} up",
        )
        _batch(
            "link set lo up",
            f"addr add {host}/24 dev eth0",
            "link set eth0 up",
            space=space,
        )
        return Home(host, ("ip", "netns", "exec", space))

    def _neighbour(self, act: str, here: str, there: str, as_what: str = "") -> None:
        line = f"neigh {act} {self._homes[there].host} dev eth0{as_what}"
        _batch(line, space=self._homes[here].before[-1])


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """A network that is removed at the end. Without root or `ip` the test is skipped and says so;
    with `CI=true` it fails."""
    lack = _lack()
    if lack:
        lacking(f"no cuts: {lack}")
    remove_stale()
    made = Network()
    _remove(made.tag)
    try:
        yield made
    finally:
        made.remove()


def remove_stale() -> None:
    """Remove what belongs to processes that are gone."""
    tags = {found[0]: int(found[1]) for found in OURS.finditer(" ".join(left()))}
    for tag, pid in tags.items():
        if not Path(f"/proc/{pid}").exists():
            _remove(tag)


def left() -> list[str]:
    """Names of all namespaces and links that are there."""
    return _links() + _spaces()


def _lack() -> str:
    if shutil.which("ip") is None:
        return "ip is missing: install it (Debian: apt install iproute2)"
    if os.geteuid():
        return "network namespaces are made by root only: run this test as root"
    return ""


def _links() -> list[str]:
    return [link["ifname"] for link in json.loads(_ip("-json link show") or "[]")]


def _spaces() -> list[str]:
    return [line.split()[0] for line in _ip("netns list").splitlines()]


def _remove(tag: str) -> None:
    # A namespace lives on while a process of it does; its cable is drawn all the same.
    gone = [f"link del {name}" for name in _links() if name.partition(".")[0] == tag]
    gone += [f"netns del {name}" for name in _spaces() if name.partition(".")[0] == tag]
    _batch(*gone)


def _batch(*lines: str, space: str = "") -> None:
    within = f"-n {space} " if space else ""
    _ip(f"{within}-batch -", "\n".join(lines) + "\n")


def _ip(words: str, given: str = "") -> str:
    done = subprocess.run(
        ["ip", *words.split()],
        input=given,
        capture_output=True,
        text=True,
        timeout=IP_S,
        check=False,
    )
    if done.returncode != 0:
        raise CannotCut(f"ip {words}: {done.stderr.strip()} {given}")
    return done.stdout
