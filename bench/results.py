"""What was measured, run by run, and the rows that a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

OURS = "Rostrum"
FLOOR = "C loop"
DIGITS = 3


@dataclass(frozen=True)
class Bar:
    """What has to be reached with at least so many `connections`: a `value`, a `ratio` to the
    floor, so much `over` the floor, or several, at most; at least when `is_least`."""

    value: float | None = None
    ratio: float | None = None
    over: float | None = None
    is_least: bool = False
    connections: int = 0

    def __str__(self) -> str:
        sign = ">=" if self.is_least else "<="
        said = [f"{what}{sign} {limit:g}" for what, limit in self._limits() if limit is not None]
        size = f" at {self.connections:,}" if self.connections else ""
        return " and ".join(said) + size

    def holds(self, value: float, floor: float | None, connections: int) -> bool | None:
        """Whether it is reached; None when it cannot be said of so few, or without a floor."""
        wanted = self._wanted(value, floor)
        if connections < self.connections or any(found is None for _, found, _ in wanted):
            return None
        return not self.missed(value, floor)

    def missed(self, value: float, floor: float | None) -> list[str]:
        """By how much, of each limit that is not reached."""
        side = "under" if self.is_least else "over"
        return [
            f"{what}{found:.4g}, {abs(found - limit) / limit:.1%} {side} {limit:g}"
            for what, found, limit in self._wanted(value, floor)
            if found is not None and not self._reaches(found, limit)
        ]

    def _wanted(self, value: float, floor: float | None) -> list[tuple[str, float | None, float]]:
        """What each limit is of, what was found there, and the limit."""
        ratio, over = (value / floor, value - floor) if floor else (None, None)
        found = (value, ratio, over)
        return [
            (what, each, limit)
            for (what, limit), each in zip(self._limits(), found, strict=True)
            if limit is not None
        ]

    def _limits(self) -> tuple[tuple[str, float | None], ...]:
        return (("", self.value), ("ratio ", self.ratio), ("over the floor ", self.over))

    def _reaches(self, found: float, limit: float) -> bool:
        return found >= limit if self.is_least else found <= limit


@dataclass(frozen=True)
class Metric:
    """Something that is measured, its unit, what has to be reached, and whose figure its floor
    is."""

    name: str
    unit: str
    says: str
    bar: Bar | None = None
    more_is_better: bool = False
    floor: str = FLOOR


@dataclass(frozen=True)
class Row:
    """One line of a report. `value` is the median of the `runs`; `floor` is the median of the floor
    in the same scenario, `ratio` the value over it."""

    scenario: str
    metric: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    best: float
    median: float
    runs: Sequence[float]
    bar: str | None
    holds: bool | None


@dataclass(frozen=True)
class Curve:
    """Of one run: the time in ms within which such a part (in percent) of all had come. `since`
    and `says` are what its axes say."""

    scenario: str
    who: str
    parts: Mapping[float, float]
    since: str = "ms since the message was sent"
    says: str = "% of all have it"


@dataclass
class Results:
    """Collects what scenarios measure with so many `connections`."""

    connections: int
    runs: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    metrics: dict[tuple[str, str], Metric] = field(default_factory=dict)
    curves: list[Curve] = field(default_factory=list)
    notes: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, scenario: str, who: str, metric: Metric, value: float) -> None:
        """One run of `who`."""
        self.metrics[scenario, metric.name] = metric
        self.runs.setdefault((scenario, metric.name, who), []).append(round(value, DIGITS))

    def note(self, who: str, why: str) -> None:
        """Something of `who` could not be measured."""
        self.notes[who, why] = self.notes.get((who, why), 0) + 1

    def told(self) -> list[str]:
        """The notes, for people."""
        return [
            f"{who}: {why}" + (f" ({times} times)" if times > 1 else "")
            for (who, why), times in self.notes.items()
        ]

    def has_all_of_ours(self) -> bool:
        """Whether all was measured of ours and of the floor; peers may be missing."""
        return not any(who in {OURS, FLOOR} for who, _ in self.notes)

    def rows(self) -> list[Row]:
        """All rows: by scenario and metric, ours first."""
        return [
            self.row(scenario, metric, who)
            for scenario, metric in self.metrics
            for who in self.measured(scenario, metric)
        ]

    def as_json(self) -> list[dict[str, Any]]:
        """The rows for programs."""
        return [asdict(row) for row in self.rows()]

    def measured(self, scenario: str, metric: str) -> list[str]:
        """Who was, ours first."""
        who = [of for in_, of_metric, of in self.runs if (in_, of_metric) == (scenario, metric)]
        return sorted(who, key=lambda name: name != OURS)

    def row(self, scenario: str, name: str, who: str) -> Row:
        """What was measured of `who`. Raises `KeyError` when nothing was."""
        metric, runs = self.metrics[scenario, name], self.runs[scenario, name, who]
        under = self.runs.get((scenario, name, metric.floor))
        value = median(runs)
        floor = None if under is None or who == metric.floor else median(under)
        ratio = round(value / floor, DIGITS) if floor else None
        bar = metric.bar if who == OURS else None
        return Row(
            scenario=scenario,
            metric=name if who == OURS else f"{name} ({who})",
            value=round(value, DIGITS),
            unit=metric.unit,
            floor=floor,
            ratio=ratio,
            best=max(runs) if metric.more_is_better else min(runs),
            median=round(value, DIGITS),
            runs=runs,
            bar=None if bar is None else str(bar),
            holds=None if bar is None else bar.holds(value, floor, self.connections),
        )
