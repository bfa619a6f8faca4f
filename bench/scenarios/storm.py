"""One of three gateways is killed: how soon those whom it served are served by the other two."""

import time
from dataclasses import replace
from functools import partial

from bench.clustered import Clustered
from bench.listeners import RETURNING, Back, Listeners
from bench.plan import Plan
from bench.results import OURS, Bar, Curve, Metric, Results
from bench.rostrum import SETTINGS
from bench.scenarios.anew import GATEWAYS, Anew
from bench.usage import rss_bytes
from bench.ways import Way

FULL = 30_000
# As they are shipped, where other scenarios let in all at once.
ADMISSION = "admission rate"
PER_S, BURST = 2_000, 2_000
LIMITS = {**SETTINGS, "connects_per_s": str(PER_S), "connects_burst": str(BURST)}
POSTS = 20
POST_EVERY_S = 0.1
BACK = Metric(
    "back",
    "s",
    "from the kill until all listen again, beside what the rate of connects allows",
    Bar(ratio=2, connections=FULL),
    floor=ADMISSION,
)
REFUSED = Metric("told to wait", "times", "for each who was cut off")
MEMORY = Metric("memory", "times", "RSS of the two that are left, after over before")


def storm(plan: Plan, results: Results) -> None:
    """By streams. Posts go on meanwhile, and each connection has to get each of them once."""
    ways = [way for way in plan.ways if way in {Way.JSON, Way.SSE}]
    Anew("storm", LIMITS, _turn).run(plan, ways, results)


def _turn(plan: Plan, rostrum: Clustered, way: Way, results: Results) -> None:
    listening = rostrum.listening(way, plan.connections)
    load = replace(plan.load(rostrum), options=RETURNING)
    with Listeners(listening, load) as listeners:
        left = rostrum.pids()[:-1]
        before = rss_bytes(left)
        found: list[Back] = []
        listeners.wake(
            rostrum.next_id, partial(_disturb, rostrum, listeners, way, found), count=POSTS
        )
        (back,) = found
        grown = rss_bytes(left) / before
    _add(results, f"storm {way.value}", back, grown)


def _disturb(rostrum: Clustered, listeners: Listeners, way: Way, found: list[Back]) -> None:
    """Kill, and post until all are back."""
    listeners.cut(time.monotonic_ns(), listeners.parked["parked"] // GATEWAYS)
    rostrum.kill_last()
    for _ in range(POSTS):
        rostrum.send(way)
        time.sleep(POST_EVERY_S)
    found.append(listeners.back())


def _add(results: Results, scenario: str, back: Back, grown: float) -> None:
    for who, value in ((OURS, back.ms / 1_000), (ADMISSION, _allowed_s(back.cut))):
        results.add(scenario, who, BACK, value)
    results.add(scenario, OURS, REFUSED, back.refused / back.cut)
    results.add(scenario, OURS, MEMORY, grown)
    curve = Curve(
        scenario,
        OURS,
        _shares(back),
        since="ms since the gateway was killed",
        says="% of those whom it served are back",
    )
    results.curves.append(curve)


def _allowed_s(cut: int) -> float:
    """So long it takes at the rate of connects of those that are left, of which each has let in as
    many at once as it may."""
    return max(1.0, cut / (GATEWAYS - 1) - BURST) / PER_S


def _shares(back: Back) -> dict[float, float]:
    """The time in ms at which such a part of those who were cut off was back."""
    gone_at = min(range(len(back.curve)), key=lambda at: back.curve[at][1])
    least, most = back.curve[gone_at][1], back.curve[-1][1]
    return {
        100.0 * (parked - least) / max(1, most - least): ms for ms, parked in back.curve[gone_at:]
    }
