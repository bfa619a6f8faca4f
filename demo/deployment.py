"""A deployment of the demo's own: made, used once, thrown away."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.kafka.distribution import CannotStart
from deploy.local.layout import READY, ROOT, Layout
from deploy.local.ports import free_port
from deploy.local.program import Program
from libs.runtime.settings import PREFIX, environment, variable

# Embedded it takes seconds; broker, Redis and five services on two cores, and their jars before the
# first time, take minutes at most.
START_S = 300.0
STOP_S = 30.0
LOOK_EVERY_S = 0.05
ALL_READY = "All ready after"
# Hundreds sign up and in at once here, with one password that is no secret: hashing at its usual
# price would take two minutes.
SETTINGS = {
    variable("session", "hash_memory_kib"): "8192",
    variable("session", "hash_passes"): "1",
}


@contextmanager
def deployment(folder: Path, *, on_kafka: bool) -> Iterator[str]:
    """One with its data and logs in `folder`; gives its address. Raises `CannotStart`."""
    port = free_port(lambda first: Layout(first).ports())
    if on_kafka:
        words, settings = ["deploy.local", "--port", str(port), "--data", str(folder)], {}
    else:
        words = ["services", "all"]
        settings = {variable("", "port"): str(port), variable("", "data"): str(folder)}
    program = _program(words, settings | SETTINGS, folder / "deployment.log")
    program.start()
    try:
        _wait_for(program, ALL_READY if on_kafka else READY[1])
        yield Layout(port).url()
    finally:
        program.ask_to_end()
        program.wait(STOP_S)


def _program(words: list[str], settings: dict[str, str], log: Path) -> Program:
    """A module of ours with these settings, whatever others this process was given."""
    dropped = [name for name in environment() if name.startswith(PREFIX)]
    command = [
        *("env", "-C", str(ROOT)),
        *(word for name in dropped for word in ("-u", name)),
        *(f"{name}={value}" for name, value in settings.items()),
        *(sys.executable, "-m", *words),
    ]
    return Program("deployment", command, log)


def _wait_for(program: Program, words: str) -> None:
    deadline = time.monotonic() + START_S
    while not program.has_said(words):
        if time.monotonic() > deadline:
            raise CannotStart(f"no deployment within {START_S:.0f} s:\n{program.tail()}")
        time.sleep(LOOK_EVERY_S)
