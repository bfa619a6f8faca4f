"""Ports that are free now, below the range from which systems give them to connections."""

import random
import socket
from collections.abc import Callable, Sequence

FIRST, LAST = 20_000, 31_000
STEP = 8


def free_port(wanted: Callable[[int], Sequence[int]]) -> int:
    """A port with which all those that `wanted` says belong to it are free. Any of them, so that
    two who look at once find different ones; by dice that no seed of a test rules."""
    places = range(FIRST, LAST, STEP)
    for port in random.SystemRandom().sample(places, len(places)):
        if all(map(_is_free, wanted(port))):
            return port
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
