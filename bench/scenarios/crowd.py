"""Posts to all who wait at three gateways, as shipped: what each delivery takes, and other routes
meanwhile."""

import time

from bench.callers import Called, Callers
from bench.clustered import Clustered
from bench.contestant import settle
from bench.listeners import Delivered, Listeners
from bench.plan import Plan
from bench.results import OURS, Bar, Curve, Metric, Results
from bench.rostrum import SETTINGS, SPREAD
from bench.scenarios.anew import Anew
from bench.scenarios.rest import CALLERS, PER_S
from bench.scenarios.wake import FULL
from bench.ways import Way

# Rooms of over 1,000 are woken over 200 ms, as they are in life.
AS_SHIPPED = {name: value for name, value in SETTINGS.items() if name != SPREAD}
POSTS = 20
EVERY_S = 5.0
# Of every post so long is looked at other routes: the rest of the time nothing disturbs them.
DURING_S = 1.0
QUIET_S = 5.0
SAYS = "from when a post begins to be sent until a connection has read it"
OF = f"of {POSTS} posts, {EVERY_S:g} s apart, rooms woken over as long as they are as shipped"
P50 = Metric("p50", "ms", f"{SAYS}: half of all deliveries {OF}")
P99 = Metric("p99", "ms", "the same, 99 % of them", Bar(value=1_000, connections=FULL))
WORST = Metric("worst p99", "ms", "99 % of the deliveries of the post that took longest")
LAST = Metric("last", "ms", "the longest delivery of all")
DELIVERIES = Metric(
    "deliveries", "ids", "that came: each connection has each id once, or it is a fault"
)
REST = f"a look at a channel, {PER_S:g} times a second in the {DURING_S:g} s after each post"
REST_P50 = Metric("rest p50", "ms", f"{REST}: half of them")
REST_P99 = Metric("rest p99", "ms", "the same, 99 % of them", Bar(value=250, connections=FULL))
QUIET_P99 = Metric("quiet rest p99", "ms", "the same while all wait and nothing comes")


def crowd(plan: Plan, results: Results) -> None:
    """Each way by itself."""
    Anew("crowd", AS_SHIPPED, _turn).run(plan, plan.ways, results)


def _turn(plan: Plan, rostrum: Clustered, way: Way, results: Results) -> None:
    listening, reading = rostrum.listening(way, plan.connections), rostrum.reading()
    with (
        Listeners(listening, plan.load(rostrum)) as listeners,
        Callers(reading, plan.load(rostrum, CALLERS)) as callers,
    ):
        settle(rostrum, plan.connections)
        quiet = callers.call(QUIET_S, PER_S)
        calls: list[Called] = []
        delivered = listeners.deliver(
            rostrum.next_id, POSTS, lambda: _posts(rostrum, way, callers, calls)
        )
        listeners.end()
    figures = {
        P50: delivered.parts[50],
        P99: delivered.parts[99],
        WORST: max(delivered.p99_ms),
        LAST: delivered.last_ms,
        DELIVERIES: delivered.deliveries,
        REST_P50: calls[-1].parts[50],
        REST_P99: calls[-1].parts[99],
        QUIET_P99: quiet.parts[99],
    }
    for metric, value in figures.items():
        results.add(f"crowd {way.value}", OURS, metric, value)
    results.curves.append(_curve(f"crowd {way.value}", delivered))


def _posts(rostrum: Clustered, way: Way, callers: Callers, calls: list[Called]) -> list[int]:
    """Post, each time while others call, of which the last of `calls` tells all. Returns when each
    post began to be sent, in ns."""
    began_s, sent_ns = time.monotonic(), list[int]()
    for number in range(POSTS):
        time.sleep(max(0.0, began_s + number * EVERY_S - time.monotonic()))
        callers.begin(DURING_S, PER_S, more=number > 0)
        sent_ns.append(time.monotonic_ns())
        rostrum.send(way)
        calls.append(callers.called())
    return sent_ns


def _curve(scenario: str, delivered: Delivered) -> Curve:
    parts = {0.0: delivered.first_ms, **delivered.parts, 100.0: delivered.last_ms}
    return Curve(
        scenario,
        OURS,
        parts,
        since="ms since each message was sent",
        says="% of all deliveries had come",
    )
