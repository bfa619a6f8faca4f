"""A message to one in twenty, while the others wait where nothing comes."""

from collections.abc import Sequence
from contextlib import nullcontext

from bench.contestant import Contestant, settle
from bench.failure import Failure
from bench.listeners import Listeners
from bench.plan import Plan
from bench.results import Metric, Results
from bench.ways import Listening, Way

# One connection in so many is sent something.
OF = 20
ALONE = Metric("last alone", "ms", "to the last of them, when nobody else is there")
AMONG = Metric("last among all", "ms", "the same, while nineteen times as many wait elsewhere")
CPU_ALONE = Metric("cpu alone", "us a connection", "of those who were sent it, alone")
CPU_AMONG = Metric("cpu among all", "us a connection", "the same among all")


def mix(plan: Plan, contestants: Sequence[Contestant], results: Results) -> None:
    """By streams, of which each says that it waits; at those who have more than one channel."""
    for way in (way for way in plan.ways if way is not Way.POLL):
        for contestant in plan.turns([each for each in contestants if way in each.ways]):
            try:
                _turn(plan, contestant, way, results)
            except (Failure, OSError) as fault:
                results.note(contestant.name, f"mix {way.value}: {fault}")


def _turn(plan: Plan, contestant: Contestant, way: Way, results: Results) -> None:
    few = max(1, plan.connections // OF)
    idle = contestant.idling(way, plan.connections - few)
    if idle is None:
        return
    alone = _wake(plan, contestant, way, few=few, idle=None)
    among = _wake(plan, contestant, way, few=few, idle=idle)
    for metric, value in zip((ALONE, CPU_ALONE, AMONG, CPU_AMONG), (*alone, *among), strict=True):
        results.add(f"mix {way.value}", contestant.name, metric, value)


def _wake(
    plan: Plan, contestant: Contestant, way: Way, *, few: int, idle: Listening | None
) -> tuple[float, float]:
    """Milliseconds to the last, and CPU of each in microseconds."""
    load = plan.load(contestant, plan.connections - few)
    with (
        nullcontext() if idle is None else Listeners(idle, load),
        Listeners(contestant.listening(way, few), plan.load(contestant, few)) as listeners,
    ):
        settle(contestant, few if idle is None else plan.connections)
        before_ns = contestant.cpu_ns()
        woken = listeners.wake(contestant.next_id, lambda: contestant.send(way))
        return woken.last_ms, (contestant.cpu_ns() - before_ns) / 1_000 / few
