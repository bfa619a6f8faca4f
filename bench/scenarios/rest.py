"""What other requests take while all who listen are woken, once a second."""

import time
from collections.abc import Sequence

from bench.callers import Callers
from bench.contestant import Contestant, settle
from bench.failure import Failure
from bench.listeners import Listeners
from bench.plan import Plan
from bench.results import Bar, Metric, Results
from bench.scenarios.wake import FULL
from bench.ways import Way

SECONDS = 5.0
EVERY_S = 1.0
PER_S = 50.0
# More than are ever out, while the pace can be kept.
CALLERS = 20
SAYS = f"a look at a channel, {PER_S:g} times a second"
P50 = Metric("p50", "ms", f"{SAYS}, while all are woken once a second: half of them")
P99 = Metric("p99", "ms", "the same, 99 % of them", Bar(value=250, connections=FULL))
QUIET_P99 = Metric("quiet p99", "ms", "the same while all wait and nothing comes")
WAKES = Metric("wakes", "wakes", "whole ones meanwhile", more_is_better=True)


def rest(plan: Plan, contestants: Sequence[Contestant], results: Results) -> None:
    """Each way by itself, at those who have other routes."""
    for way in plan.ways:
        scenario = f"rest {way.value}"
        able = [each for each in contestants if way in each.ways]
        for contestant in plan.turns(able):
            try:
                _turn(plan, contestant, way, results=results)
            except (Failure, OSError) as fault:
                results.note(contestant.name, f"{scenario}: {fault}")


def _turn(plan: Plan, contestant: Contestant, way: Way, *, results: Results) -> None:
    reading = contestant.reading()
    if reading is None:
        return
    with Listeners(contestant.listening(way, plan.connections), plan.load(contestant)) as listeners:
        settle(contestant, plan.connections)
        with Callers(reading, plan.load(contestant, CALLERS)) as callers:
            quiet = callers.call(SECONDS, PER_S)
            callers.begin(SECONDS, PER_S)
            wakes = _wake(listeners, contestant, way)
            busy = callers.called()
    figures = {
        P50: busy.parts[50],
        P99: busy.parts[99],
        QUIET_P99: quiet.parts[99],
        WAKES: wakes,
    }
    for metric, value in figures.items():
        results.add(f"rest {way.value}", contestant.name, metric, value)


def _wake(listeners: Listeners, contestant: Contestant, way: Way) -> int:
    """For as long as others call. Returns how many wakes that were."""
    began_s, wakes = time.monotonic(), 0
    while (now_s := time.monotonic()) < began_s + SECONDS:
        listeners.wake(contestant.next_id, lambda: contestant.send(way))
        wakes += 1
        time.sleep(max(0.0, now_s + EVERY_S - time.monotonic()))
    return wakes
