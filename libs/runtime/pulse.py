"""How a process lives: how late its event loop is, and how long the garbage collector stops it."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from libs.runtime.clock import Clock
from libs.runtime.metrics import GC_PAUSE, LOOP_LAG

EVERY_S = 0.5
GENERATIONS = 3


async def watch_loop(clock: Clock) -> None:
    """Look how late the loop is, without end."""
    while True:
        due_s = clock.monotonic() + EVERY_S
        await clock.sleep(EVERY_S)
        LOOP_LAG.observe(max(0.0, clock.monotonic() - due_s))


@contextmanager
def watched_collections(clock: Clock) -> Iterator[None]:
    """Time each collection of the garbage collector meanwhile."""
    pauses = [GC_PAUSE.labels(str(number)) for number in range(GENERATIONS)]
    began_s = 0.0

    def tell(phase: str, about: Mapping[str, int]) -> None:
        nonlocal began_s
        if phase == "start":
            began_s = clock.monotonic()
        else:
            pauses[about["generation"]].observe(clock.monotonic() - began_s)

    gc.callbacks.append(tell)
    try:
        yield
    finally:
        gc.callbacks.remove(tell)
