"""How a process lives, as its metrics say."""

import asyncio
import gc

import pytest

from libs.runtime.metrics import GC_PAUSE, LOOP_LAG, Histogram
from libs.runtime.pulse import EVERY_S, QUIET_S, YOUNG, is_worth_it, watch_loop, watched_collections
from libs.testing.clock import VirtualClock

LATE_S = 1.5


def told(metric: Histogram, suffix: str) -> float:
    """Of a histogram, without a label or with that of the oldest generation."""
    (family,) = metric.collect()
    return sum(
        each.value
        for each in family.samples
        if each.name.endswith(suffix) and each.labels.get("generation", "2") == "2"
    )


async def test_how_late_the_loop_comes_is_measured() -> None:
    clock = VirtualClock()
    watching = asyncio.create_task(watch_loop(clock))
    count, sum_s = told(LOOP_LAG, "_count"), told(LOOP_LAG, "_sum")
    await clock.elapse(EVERY_S)
    assert (told(LOOP_LAG, "_count"), told(LOOP_LAG, "_sum")) == (count + 1, sum_s)
    clock.advance(EVERY_S + LATE_S)
    await clock.elapse(0.0)
    assert told(LOOP_LAG, "_count") == count + 2
    assert told(LOOP_LAG, "_sum") == pytest.approx(sum_s + LATE_S)
    watching.cancel()


def test_collections_are_counted_while_they_are_watched() -> None:
    before = told(GC_PAUSE, "_count")
    callbacks = list(gc.callbacks)
    with watched_collections(VirtualClock()):
        gc.collect()
        # Another one may have come by itself.
        assert told(GC_PAUSE, "_count") > before
    assert gc.callbacks == callbacks


@pytest.mark.parametrize("is_late", [False, True])
async def test_young_garbage_is_collected_when_there_is_little_to_do(
    monkeypatch: pytest.MonkeyPatch, *, is_late: bool
) -> None:
    collected: list[int] = []
    monkeypatch.setattr(gc, "collect", collected.append)
    monkeypatch.setattr(gc, "get_count", lambda: (YOUNG, 0, 0))
    clock = VirtualClock()
    watching = asyncio.create_task(watch_loop(clock))
    await clock.elapse(0.0)
    clock.advance(EVERY_S + (2 * QUIET_S if is_late else 0.0))
    await clock.elapse(0.0)
    assert collected == ([] if is_late else [0])
    watching.cancel()


def test_few_are_left_and_so_is_what_an_older_generation_is_due_for() -> None:
    thresholds = (50_000, 20, 100)
    assert is_worth_it((YOUNG, 20, 100), thresholds)
    assert not is_worth_it((YOUNG - 1, 0, 0), thresholds)
    assert not is_worth_it((YOUNG, 21, 0), thresholds)
