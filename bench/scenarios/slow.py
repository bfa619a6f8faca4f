"""Long messages to all, while some read nothing: what the others notice, and what those cost."""

from collections.abc import Sequence
from statistics import median

from bench.contestant import Contestant, settle
from bench.failure import Failure
from bench.listeners import Listeners
from bench.plan import Plan
from bench.results import Bar, Metric, Results
from bench.ways import Way

# Each message takes 16 KiB to each: few connections are much to send, and enough to see it.
CONNECTIONS, DEAF = 100, 10
# More than the kernel and an outbox hold for one who reads nothing.
WAVES, MESSAGES = 8, 50
KIB = 1_024
BYTES = f"{WAVES * MESSAGES} of the longest messages"
ALONE = Metric("last alone", "ms", f"of {MESSAGES} of them to the last of all, median of {WAVES}")
BESIDE = Metric("last beside slow ones", "ms", f"the same, while {DEAF} more read nothing")
OVER = Metric("beside over alone", "times", "the second over the first", Bar(value=1.25))
MEMORY = Metric(
    "slow", "KiB a connection", f"RSS of each that reads nothing, after {BYTES}", Bar(value=600)
)


def slow(plan: Plan, contestants: Sequence[Contestant], results: Results) -> None:
    """By streams, at those who take long messages."""
    for way in (way for way in plan.ways if way is not Way.POLL):
        able = [each for each in contestants if way in each.ways and each.has_long]
        for contestant in plan.turns(able):
            try:
                _turn(plan, contestant, way, results)
            except (Failure, OSError) as fault:
                results.note(contestant.name, f"slow {way.value}: {fault}")


def _turn(plan: Plan, contestant: Contestant, way: Way, results: Results) -> None:
    load = plan.load(contestant, CONNECTIONS)
    with Listeners(contestant.listening(way, CONNECTIONS), load) as listeners:
        settle(contestant, CONNECTIONS)
        alone_ms = _last_ms(listeners, contestant, way)
        listeners.deafen(DEAF)
        before = contestant.rss_bytes()
        beside_ms = _last_ms(listeners, contestant, way)
        grown = contestant.rss_bytes() - before
    figures = {
        ALONE: alone_ms,
        BESIDE: beside_ms,
        OVER: beside_ms / alone_ms,
        MEMORY: grown / KIB / DEAF,
    }
    for metric, value in figures.items():
        results.add(f"slow {way.value}", contestant.name, metric, value)


def _last_ms(listeners: Listeners, contestant: Contestant, way: Way) -> float:
    def send() -> None:
        for _ in range(MESSAGES):
            contestant.send_long(way)

    waves = (listeners.wake(contestant.next_id, send, count=MESSAGES) for _ in range(WAVES))
    return median(woken.last_ms for woken in waves)
