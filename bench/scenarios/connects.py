"""How many connections a second a server lets in, until each is told that it listens."""

from collections.abc import Sequence
from dataclasses import replace

from bench.contestant import Contestant
from bench.failure import Failure
from bench.listeners import Listeners
from bench.plan import Plan
from bench.results import Bar, Metric, Results
from bench.ways import Listening, Load, Way

# Fewer are let in before it is clear how many a second that is.
ENOUGH = 1_000
KNOWN = Metric(
    "known",
    "connections/s",
    "with tokens that it has seen before",
    Bar(value=8_000, is_least=True, connections=ENOUGH),
    more_is_better=True,
)
NEW = Metric(
    "new", "connections/s", "of people and tokens that it has never seen", more_is_better=True
)


def connects(plan: Plan, contestants: Sequence[Contestant], results: Results) -> None:
    """By streams: nobody is told that a poll waits. All at once, whatever the pace is elsewhere."""
    for way in (way for way in plan.ways if way is not Way.POLL):
        scenario = f"connects {way.value}"
        for contestant in plan.turns([each for each in contestants if way in each.ways]):
            listening = contestant.listening(way, plan.connections)
            try:
                load = replace(plan.load(contestant), connects_per_s=0.0)
                new, known = _per_s(listening, load), _per_s(listening, load)
            except (Failure, OSError) as fault:
                results.note(contestant.name, f"{scenario}: {fault}")
                continue
            results.add(scenario, contestant.name, NEW, new)
            results.add(scenario, contestant.name, KNOWN, known)


def _per_s(listening: Listening, load: Load) -> float:
    with Listeners(listening, load) as listeners:
        return listeners.per_s
