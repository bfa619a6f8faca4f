"""What a server's memory grows by for each connection that waits there."""

from collections.abc import Sequence

from bench.contestant import Contestant, settle
from bench.failure import Failure
from bench.listeners import Listeners
from bench.plan import Plan
from bench.results import Bar, Metric, Results
from bench.ways import Way

# What a server needs for its first connections whatever they are many or few is had before.
WARM_CONNECTIONS = 50
KIB = 1_024
# Of fewer, what is not of a connection weighs too much.
ENOUGH = 1_000
SAYS = "RSS, all that is remembered of who waits included"
LONG_POLL = Metric("parked", "KiB a connection", SAYS, Bar(value=6, connections=ENOUGH))
SOCKET = Metric("parked", "KiB a connection", SAYS, Bar(value=2, connections=ENOUGH))
EVENTS = Metric("parked", "KiB a connection", SAYS)


def memory(plan: Plan, contestants: Sequence[Contestant], results: Results) -> None:
    """Each time in a server that was just started: one that had many connections keeps memory for
    the next."""
    for way in plan.ways:
        scenario = f"memory {way.value}"
        able = [each for each in contestants if way in each.ways]
        for number, contestant in enumerate(plan.turns(able)):
            contestant.stop()
            contestant.start(plan.folder / f"memory-{way.value}-{number}")
            try:
                _turn(plan, contestant, way, results)
            except (Failure, OSError) as fault:
                results.note(contestant.name, f"{scenario}: {fault}")


def _turn(plan: Plan, contestant: Contestant, way: Way, results: Results) -> None:
    warm(plan, contestant, way)
    listening = contestant.listening(way, plan.connections)
    before = contestant.rss_bytes()
    with Listeners(listening, plan.load(contestant)):
        settle(contestant, plan.connections)
        grown = contestant.rss_bytes() - before
    metric = _metric(way)
    results.add(f"memory {way.value}", contestant.name, metric, grown / KIB / plan.connections)


def warm(plan: Plan, contestant: Contestant, way: Way) -> None:
    """Have some listen and leave, so that what comes once is there."""
    load = plan.load(contestant, WARM_CONNECTIONS)
    with Listeners(contestant.listening(way, WARM_CONNECTIONS), load):
        settle(contestant, WARM_CONNECTIONS)


def _metric(way: Way) -> Metric:
    if way is Way.POLL:
        return LONG_POLL
    return SOCKET if way.is_socket else EVENTS
