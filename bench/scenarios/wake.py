"""From a message to the last of all who wait for it, and until all who poll wait again."""

from collections.abc import Sequence
from statistics import median

from bench.contestant import Contestant, settle
from bench.failure import Failure
from bench.listeners import Listeners, Woken
from bench.plan import Plan
from bench.results import Bar, Curve, Metric, Results
from bench.ways import Way

FULL = 50_000
FIRST = Metric("first", "ms", "from the message's being sent to the first who got it")
P50 = Metric("p50", "ms", "to half of them")
P99 = Metric("p99", "ms", "to 99 % of them")
LAST = Metric("last", "ms", "to the last of them")
ALONE = Metric("alone", "ms", "to the only one: what it takes before anybody is written to")
WAKE = Metric(
    "wake",
    "ms",
    "`last` without the median of `alone`: writing to all",
    Bar(ratio=1.15, connections=FULL),
)
CPU = Metric("cpu", "us a connection", "CPU time of the server; for polls until all wait again")
AGAIN = Metric(
    "again",
    "ms",
    "until all poll again, as the server counts them",
    Bar(ratio=2.5, connections=FULL),
)
TWICE = Metric("twice", "ms", "to the last of a second message, sent once all had the first")


def wake(plan: Plan, contestants: Sequence[Contestant], results: Results) -> None:
    """Each way by itself."""
    for way in plan.ways:
        scenario = f"wake {way.value}"
        for contestant in plan.turns([each for each in contestants if way in each.ways]):
            try:
                _turn(plan, contestant, way, results)
            except (Failure, OSError) as fault:
                results.note(contestant.name, f"{scenario}: {fault}")
        for who in results.measured(scenario, LAST.name):
            _add_wakes(results, scenario, who)


def _turn(plan: Plan, contestant: Contestant, way: Way, results: Results) -> None:
    alone_ms = _alone_ms(plan, contestant, way)
    listening = contestant.listening(way, plan.connections)
    with Listeners(listening, plan.load(contestant)) as listeners:
        settle(contestant, plan.connections)
        before_ns = contestant.cpu_ns()
        woken = listeners.wake(contestant.next_id, lambda: contestant.send(way), again=True)
        cpu_us = (contestant.cpu_ns() - before_ns) / 1_000 / plan.connections
        can_tell = way is Way.POLL and (contestant.remembers or listening.counts)
        twice_ms = _twice_ms(listeners, contestant, way) if can_tell else None
    figures = {
        ALONE: alone_ms,
        FIRST: woken.first_ms,
        P50: woken.parts[50],
        P99: woken.parts[99],
        LAST: woken.last_ms,
        CPU: cpu_us,
        AGAIN: woken.again_ms if way is Way.POLL else None,
        TWICE: twice_ms,
    }
    _add(results, f"wake {way.value}", contestant.name, figures)
    results.curves.append(_curve(f"wake {way.value}", contestant.name, woken))


def _add(results: Results, scenario: str, who: str, figures: dict[Metric, float | None]) -> None:
    for metric, value in figures.items():
        if value is not None:
            results.add(scenario, who, metric, value)


def _add_wakes(results: Results, scenario: str, who: str) -> None:
    alone_ms = median(results.runs[scenario, ALONE.name, who])
    for last_ms in results.runs[scenario, LAST.name, who]:
        results.add(scenario, who, WAKE, max(last_ms - alone_ms, 0.0))


def _alone_ms(plan: Plan, contestant: Contestant, way: Way) -> float:
    with Listeners(contestant.listening(way, 1), plan.load(contestant, 1)) as listeners:
        settle(contestant, 1)
        return listeners.wake(contestant.next_id, lambda: contestant.send(way)).last_ms


def _twice_ms(listeners: Listeners, contestant: Contestant, way: Way) -> float:
    """Servers count in their own time how many poll. This needs no count where messages are kept:
    the second one reaches nobody who does not poll again."""
    first = listeners.wake(
        contestant.next_id, lambda: contestant.send(way), again=not contestant.remembers
    )
    second = listeners.wake(contestant.next_id, lambda: contestant.send(way))
    return (second.sent_ns - first.sent_ns) / 1_000_000 + second.last_ms


def _curve(scenario: str, who: str, woken: Woken) -> Curve:
    return Curve(scenario, who, {0.0: woken.first_ms, **woken.parts, 100.0: woken.last_ms})
