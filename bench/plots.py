"""Pictures of a report, as SVG."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.results import OURS, Curve

# Text stays text, and the same figures make the same file.
mpl.rcParams["svg.fonttype"] = "none"
mpl.rcParams["svg.hashsalt"] = "bench"
WIDTH_IN, HEIGHT_IN = 8.0, 4.0


def draw_arrivals(scenario: str, curves: Sequence[Curve], path: Path) -> None:
    """How many of all had come when: a line for each contestant, of its median run."""
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    axes = figure.subplots()
    for curve in _median_runs(curves):
        parts = sorted(curve.parts.items())
        times, shares = [ms for _, ms in parts], [part for part, _ in parts]
        axes.plot(times, shares, label=curve.who, linewidth=2.5 if curve.who == OURS else 1.2)
    axes.set(title=scenario, xlabel=curves[0].since, ylabel=curves[0].says)
    axes.set_xlim(left=0)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(path, format="svg", metadata={"Date": None})


def _median_runs(curves: Sequence[Curve]) -> list[Curve]:
    """Of each contestant the run whose last one came in the middle of all runs."""
    by_name: dict[str, list[Curve]] = {}
    for curve in curves:
        by_name.setdefault(curve.who, []).append(curve)
    return [
        sorted(runs, key=lambda run: run.parts[100.0])[len(runs) // 2] for runs in by_name.values()
    ]
