"""How a process lives: how late its event loop is, and how long the garbage collector stops it."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from libs.runtime.clock import Clock
from libs.runtime.metrics import GC_PAUSE, LOOP_LAG

EVERY_S = 0.5
# A loop that is no later than this has little to do.
QUIET_S = 0.005
# Young objects from which on it is worth it to collect before it has to be.
YOUNG = 20_000
GENERATIONS = 3


async def watch_loop(clock: Clock) -> None:
    """Look how late the loop is, without end, and collect young garbage when it has little to do:
    else that would be amid very much, which is what makes young objects many."""
    while True:
        due_s = clock.monotonic() + EVERY_S
        await clock.sleep(EVERY_S)
        lag_s = max(0.0, clock.monotonic() - due_s)
        LOOP_LAG.observe(lag_s)
        if lag_s <= QUIET_S and is_worth_it(gc.get_count(), gc.get_threshold()):
            gc.collect(0)


def is_worth_it(counts: tuple[int, int, int], thresholds: tuple[int, int, int]) -> bool:
    """Whether there are many young objects, and no older generation is due, which only the
    collector itself weighs: it would never come to it."""
    return counts[0] >= YOUNG and counts[1] <= thresholds[1]


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
