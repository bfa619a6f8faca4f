"""Waiting for a program that was started."""

import socket
import time
from collections.abc import Callable

from deploy.kafka.distribution import CannotStart
from deploy.local.program import Program

# A start takes seconds; a machine under load may need several times that.
START_S = 60.0
LOOK_EVERY_S = 0.02


def wait_until(program: Program, is_ready: Callable[[], bool]) -> None:
    """Return when it is ready. Raises `CannotStart` when it ended or is too slow."""
    deadline = time.monotonic() + START_S
    while not is_ready():
        if program.pid is None:
            raise CannotStart(f"{program.name} ended:\n{program.tail()}")
        if time.monotonic() > deadline:
            raise CannotStart(f"{program.name} is not ready in {START_S:.0f} s: {program.tail()}")
        time.sleep(LOOK_EVERY_S)


def wait_until_said(program: Program, *words: str) -> None:
    """Return when it printed one of these. Raises `CannotStart` when it ended or is too slow."""
    wait_until(program, lambda: program.has_said(*words))


def wait_until_open(program: Program, *ports: int) -> None:
    """Return when it listens on all of them. Raises `CannotStart` when it ended or is too slow."""
    wait_until(program, lambda: all(map(is_open, ports)))


def is_open(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
