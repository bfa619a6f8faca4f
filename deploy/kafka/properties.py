"""The property file of a node, from `node.properties` and the part for so many nodes."""

import random
import socket
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import NamedTuple

from deploy.kafka.child import LOOPBACK, Home

HERE = Path(__file__).parent
PARTS = {1: "one.properties", 3: "three.properties"}

# Below the range from which systems give ports to outgoing connections: a node that is started
# again must find its port free.
PORT_MIN, PORT_MAX = 20_000, 32_000
PORT_TRIES = 100
# Whoever seeds the common dice makes others find the ports that it finds.
DICE = random.SystemRandom()


class Place(NamedTuple):
    """Where a node is: its id (from 1), its ports, its data folder and its home."""

    id: int
    port: int
    controller_port: int
    data: Path
    home: Home = LOOPBACK


def rendered(place: Place, places: Sequence[Place]) -> str:
    """The properties of the node at `place`, one of `places` (1 or 3)."""
    voters = ",".join(f"{each.id}@{each.home.host}:{each.controller_port}" for each in places)
    node = Template((HERE / "node.properties").read_text("utf-8"))
    filled = node.substitute(place._asdict(), host=place.home.host, voters=voters)
    return filled + (HERE / PARTS[len(places)]).read_text("utf-8")


def free_ports(count: int) -> list[int]:
    """So many ports of loopback on which nobody listens now. Raises `OSError`."""
    found: set[int] = set()
    for _ in range(PORT_TRIES):
        if len(found) == count:
            return sorted(found)
        port = DICE.randrange(PORT_MIN, PORT_MAX)
        if _is_free(port):
            found.add(port)
    raise OSError(f"no {count} free ports of 127.0.0.1 in {PORT_MIN} to {PORT_MAX}")


def _is_free(port: int) -> bool:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
