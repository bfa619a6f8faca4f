"""What it takes to watch many channels over one connection, beside one channel."""

from collections.abc import Sequence
from typing import NamedTuple

from bench.contestant import Contestant, settle
from bench.failure import Failure
from bench.listeners import Listeners
from bench.plan import Plan
from bench.results import Bar, Metric, Results
from bench.scenarios.memory import warm
from bench.ways import Way

CHANNELS = 100
ENOUGH = 10_000
# Aliases in msgpack are of a connection, and the client keeps one.
WAYS = (Way.JSON, Way.SSE)
BYTES = Metric(
    "watch",
    "bytes",
    f"RSS of each watch: {CHANNELS} a connection over one a connection",
    Bar(value=200, connections=ENOUGH),
)
ONE = Metric("cpu of one", "us a connection", "of a wake, where each watches one channel")
MANY = Metric("cpu of many", "us a connection", f"the same, where each watches {CHANNELS}")
OVER = Metric(
    "cpu over one", "times", "the second over the first", Bar(value=1.3, connections=ENOUGH)
)


class _Found(NamedTuple):
    grown_bytes: int
    cpu_us: float


def watches(plan: Plan, contestants: Sequence[Contestant], results: Results) -> None:
    """Each way by itself, each time in servers that were just started, at those who can."""
    for way in (way for way in plan.ways if way in WAYS):
        scenario = f"watches {way.value}"
        for number, contestant in enumerate(plan.turns([e for e in contestants if way in e.ways])):
            try:
                one = _turn(plan, contestant, way, channels=1, number=number)
                many = _turn(plan, contestant, way, channels=CHANNELS, number=number)
            except (Failure, OSError) as fault:
                results.note(contestant.name, f"{scenario}: {fault}")
                continue
            if one is not None and many is not None:
                _add(plan, results, (scenario, contestant.name), one=one, many=many)


def _turn(
    plan: Plan, contestant: Contestant, way: Way, *, channels: int, number: int
) -> _Found | None:
    if contestant.watching(way, 1, channels=1) is None:
        return None
    contestant.stop()
    contestant.start(plan.folder / f"watches-{way.value}-{channels}-{number}")
    warm(plan, contestant, way)
    listening = contestant.watching(way, plan.connections, channels=channels)
    assert listening is not None
    before = contestant.rss_bytes()
    with Listeners(listening, plan.load(contestant)) as listeners:
        settle(contestant, plan.connections)
        grown = contestant.rss_bytes() - before
        before_ns = contestant.cpu_ns()
        listeners.wake(contestant.next_id, lambda: contestant.send(way))
        return _Found(grown, (contestant.cpu_ns() - before_ns) / 1_000 / plan.connections)


def _add(
    plan: Plan, results: Results, where: tuple[str, str], *, one: _Found, many: _Found
) -> None:
    more = plan.connections * (CHANNELS - 1)
    figures = {
        BYTES: (many.grown_bytes - one.grown_bytes) / more,
        ONE: one.cpu_us,
        MANY: many.cpu_us,
        OVER: many.cpu_us / one.cpu_us,
    }
    for metric, value in figures.items():
        results.add(*where, metric, value)
