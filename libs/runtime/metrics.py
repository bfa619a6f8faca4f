"""Metrics: declared once in each part's `metrics.py`, shown by the admin listener.

Labels are bounded sets (a code, a service), never a channel or a user. What every process has,
whatever its services, is declared here.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.parser import text_string_to_metric_families

PREFIX = "rostrum_"
SIZE_BUCKETS = tuple(2**power for power in range(11))
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


class Sample(NamedTuple):
    """One value of an exposition; `name` is without our prefix."""

    name: str
    labels: Mapping[str, str]
    value: float


def counter(name: str, says: str, labels: Sequence[str] = ()) -> Counter:
    """Something that only grows."""
    return Counter(PREFIX + name, says, labels)


def gauge(name: str, says: str, labels: Sequence[str] = ()) -> Gauge:
    """Something that goes up and down."""
    return Gauge(PREFIX + name, says, labels)


def seconds(name: str, says: str, labels: Sequence[str] = ()) -> Histogram:
    """How long something took, in seconds."""
    return Histogram(PREFIX + name, says, labels, buckets=LATENCY_BUCKETS_S)


def sizes(name: str, says: str, labels: Sequence[str] = ()) -> Histogram:
    """How many at once, 1 to 1,024 and more."""
    return Histogram(PREFIX + name, says, labels, buckets=SIZE_BUCKETS)


def declared() -> list[tuple[str, str, str]]:
    """For each metric of ours that this process has: name, type, what it is."""
    return sorted(
        (family.name, family.type, family.documentation)
        for family in REGISTRY.collect()
        if family.name.startswith(PREFIX)
    )


def exposition() -> bytes:
    """All metrics of this process in Prometheus's text form."""
    return generate_latest(REGISTRY)


def parsed(text: str) -> list[Sample]:
    """The metrics of ours in an exposition. Raises `ValueError` for text that is none."""
    return [
        Sample(sample.name.removeprefix(PREFIX), sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith(PREFIX)
    ]


LOOP_LAG = seconds(
    "loop_lag_seconds", "How late the event loop comes to what is due, twice a second"
)
GC_PAUSE = seconds("gc_pause_seconds", "Collections of the garbage collector", ["generation"])

__all__ = [
    "CONTENT_TYPE",
    "GC_PAUSE",
    "LOOP_LAG",
    "Counter",
    "Gauge",
    "Histogram",
    "Sample",
    "counter",
    "exposition",
    "gauge",
    "parsed",
    "seconds",
    "sizes",
]
