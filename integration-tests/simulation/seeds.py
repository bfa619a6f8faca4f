"""Many seeds, on all cores, until they are done or time is up."""

import gc
import logging
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

import structlog

from . import views, world
from .verdict import wrongs
from .world import Outcome

WORLDS: Mapping[str, Callable[[int], Outcome]] = MappingProxyType(
    {"posts": world.run, "views": views.run}
)
# Seeds that a process takes at once: the way there and back costs as much as one of them.
CHUNK = 20
CHUNKS_AHEAD = 2


class Result(NamedTuple):
    """One seed in one world."""

    world: str
    seed: int
    trace: str
    wrongs: tuple[str, ...]


def live(name: str, seed: int) -> Result:
    """Live through a seed in a world; what it raises is wrong as well."""
    try:
        outcome = WORLDS[name](seed)
    except Exception as fault:
        return Result(name, seed, "", (f"{type(fault).__name__}: {fault}",))
    return Result(name, seed, outcome.trace, tuple(wrongs(outcome)))


def live_all(seeds: Iterable[int], *, until_s: float = float("inf")) -> Iterator[Result]:
    """Results of each seed in each world, in the order of the seeds. No seed is begun after
    `until_s` seconds from now."""
    ends_s = time.monotonic() + until_s
    left = iter(seeds)
    with ProcessPoolExecutor(os.cpu_count(), initializer=_prepare) as pool:
        running: list[Future[list[Result]]] = []
        while True:
            room = CHUNKS_AHEAD * (os.cpu_count() or 1) - len(running)
            if time.monotonic() < ends_s:
                chunks = (list(islice(left, CHUNK)) for _ in range(room))
                running += [pool.submit(_live_chunk, chunk, ends_s) for chunk in chunks if chunk]
            if not running:
                return
            yield from running.pop(0).result()


def _live_chunk(seeds: list[int], ends_s: float) -> list[Result]:
    # All processes of a machine share this clock.
    begun = (seed for seed in seeds if time.monotonic() < ends_s)
    return [live(name, seed) for seed in begun for name in WORLDS]


def _prepare() -> None:
    """What the services log of faults is no news here, nor what ends with a loop. And most of what
    is thrown away goes with its seed, all at once."""
    gc.set_threshold(50_000, 20, 100)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def parsed(text: str) -> list[int]:
    """Seeds as people write them: `4711`, `1-5000`, `3,7-9`. Raises `ValueError`."""
    seeds: list[int] = []
    for part in text.replace(",", " ").split():
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def fresh() -> Iterable[int]:
    """Seeds that nobody tried before, most likely."""
    start = random.SystemRandom().randrange(1_000_000) * 1_000
    return iter(range(start, start + 1_000_000))
