"""Waiting for a program that was started."""

import time

from deploy.kafka.distribution import CannotStart
from deploy.local.program import Program

# A start takes seconds; a machine under load may need several times that.
START_S = 60.0
LOOK_EVERY_S = 0.02


def wait_until_said(program: Program, *words: str) -> None:
    """Return when it printed one of these. Raises `CannotStart` when it ended or is too slow."""
    deadline = time.monotonic() + START_S
    while not program.has_said(*words):
        if time.monotonic() > deadline:
            raise CannotStart(f"{program.name} is not ready in {START_S:.0f} s: {program.tail()}")
        time.sleep(LOOK_EVERY_S)
