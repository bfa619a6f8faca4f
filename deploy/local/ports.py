"""Ports that are free now, below the range from which systems give them to connections."""

import os
import socket
from collections.abc import Callable, Sequence

FIRST, LAST = 20_000, 31_000
STEP = 8


def free_port(wanted: Callable[[int], Sequence[int]]) -> int:
    """The first port with which all those that `wanted` says belong to it are free."""
    for port in range(FIRST + os.getpid() % 8_000, LAST, STEP):
        if all(map(_is_free, wanted(port))):
            return port
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
