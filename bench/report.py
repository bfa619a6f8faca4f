"""The report of a run: `report.json` for programs, `report.md` with pictures for people."""

import json
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.plan import Plan
from bench.plots import draw_arrivals
from bench.results import OURS, Metric, Results, Row
from bench.shortfalls import shortfalls, written

PLOTS = "plots"


def write_report(plan: Plan, results: Results, folder: Path) -> None:
    """Write both, and the pictures, into `folder`."""
    (folder / PLOTS).mkdir(parents=True, exist_ok=True)
    rows = json.dumps(results.as_json(), indent=1)
    (folder / "report.json").write_text(rows + "\n", "utf-8")
    lines = [
        *_head(plan, results),
        *shortfalls(results, written()),
        *_sections(results, folder),
    ]
    (folder / "report.md").write_text("\n".join(lines) + "\n", "utf-8")


def _head(plan: Plan, results: Results) -> Iterator[str]:
    yield "# What was measured"
    yield ""
    yield f"{plan.connections:,} connections, {plan.rounds} rounds in which all had their turn, on"
    yield f"{os.cpu_count()} CPUs ({platform.machine()}, Linux {platform.release()}, Python"
    yield f"{platform.python_version()}); {_pinning(plan)}."
    yield f"Rostrum wakes over {plan.spread_ms} ms (200 as shipped; peers do not spread)."
    yield "Values are medians of all rounds, the best in brackets. Ratios are of Rostrum to the"
    yield "floor in this run: a C loop of one `send` a connection; of posts a bare producer."
    if results.notes:
        yield "\n## What was not measured, and why\n"
        yield from (f"- {note}" for note in results.told())


def _pinning(plan: Plan) -> str:
    if plan.server_cpu is None or plan.client_cpu is None:
        return "server and client share all of them"
    return f"servers run on CPU {plan.server_cpu}, the client on CPU {plan.client_cpu}"


def _sections(results: Results, folder: Path) -> Iterator[str]:
    for scenario in dict.fromkeys(scenario for scenario, _ in results.metrics):
        metrics = [metric for (of, _), metric in results.metrics.items() if of == scenario]
        yield f"\n## {scenario}\n"
        yield from _table(results, scenario, metrics)
        yield ""
        yield from (f"- `{metric.name}` ({metric.unit}): {metric.says}" for metric in metrics)
        yield from _picture(scenario, results, folder)


def _table(results: Results, scenario: str, metrics: Sequence[Metric]) -> Iterator[str]:
    """A line a metric, a column a contestant: the median, and the best in brackets."""
    names = list(
        dict.fromkeys(who for each in metrics for who in results.measured(scenario, each.name))
    )
    columns = ["metric", *names, "ratio", "bar", "holds"]
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for metric in metrics:
        rows = {
            who: results.row(scenario, metric.name, who)
            for who in results.measured(scenario, metric.name)
        }
        cells = [metric.name, *(_figures(rows.get(who)) for who in names), *_judged(rows.get(OURS))]
        yield f"| {' | '.join(cells)} |"


def _figures(row: Row | None) -> str:
    return "" if row is None else f"{row.value:,.4g} ({row.best:,.4g})"


def _judged(row: Row | None) -> tuple[str, str, str]:
    if row is None:
        return "", "", ""
    ratio = "" if row.ratio is None else f"{row.ratio:,.2f}"
    return ratio, row.bar or "", {True: "yes", False: "**no**", None: ""}[row.holds]


def _picture(scenario: str, results: Results, folder: Path) -> Iterator[str]:
    curves = [curve for curve in results.curves if curve.scenario == scenario]
    if curves:
        name = f"{PLOTS}/{scenario.replace(' ', '-')}.svg"
        draw_arrivals(scenario, curves, folder / name)
        yield f"\n![who had come when]({name})"
