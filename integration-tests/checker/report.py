"""A verdict for people and for programs."""

from collections import defaultdict
from collections.abc import Iterator

from checker.figures import Figures
from checker.history import Event
from checker.verdict import Finding, Verdict
from libs.wire.codec import to_json

# Of one kind; more show the same, and the count says how many there are.
FINDINGS_SHOWN = 5
EVENTS_SHOWN = 8
READERS_SHOWN = 10


def markdown(verdict: Verdict) -> str:
    """A page: what was found with its evidence, then the figures."""
    return "\n".join([*_head(verdict), *_findings(verdict), *_figures(verdict.figures), ""])


def json(verdict: Verdict) -> bytes:
    """All of a verdict: `{is_clean, findings: [{law, kind, what, evidence}], figures, rules}`."""
    return to_json(
        {
            "is_clean": verdict.is_clean,
            "findings": verdict.findings,
            "figures": verdict.figures,
            "rules": verdict.rules,
        }
    )


def _head(verdict: Verdict) -> Iterator[str]:
    counts = verdict.figures.counts
    yield "# Verdict"
    yield ""
    found = "clean" if verdict.is_clean else f"{len(verdict.findings)} findings"
    yield (
        f"**{found}**: {counts.acknowledged} acknowledgements of {counts.posts} posts, "
        f"{counts.deliveries} deliveries to {counts.readers} readers, "
        f"{len(verdict.rules)} rules."
    )


def _findings(verdict: Verdict) -> Iterator[str]:
    kinds: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for found in verdict.findings:
        kinds[found.law, found.kind].append(found)
    for (law, kind), these in sorted(kinds.items()):
        yield ""
        yield f"## {law} {kind}: {len(these)}"
        for found in these[:FINDINGS_SHOWN]:
            yield ""
            yield f"{found.what}:"
            yield ""
            yield from (f"    {_line(event)}" for event in found.evidence[:EVENTS_SHOWN])
            more = len(found.evidence) - EVENTS_SHOWN
            if more > 0:
                yield f"    and {more} more"


def _line(event: Event) -> str:
    return to_json(event).decode()


def _figures(figures: Figures) -> Iterator[str]:
    counts = figures.counts
    yield from ("", "## Figures", "", "| what | how many |", "|---|---|")
    for field in counts.__struct_fields__:
        yield f"| {field.replace('_', ' ')} | {getattr(counts, field)} |"
    yield from (
        "",
        "| fault | times | posts stood still | deliveries stood still |",
        "|---|---|---|---|",
    )
    for row in figures.outages:
        posts = f"{row.posts_s:.3f} s {row.posts_at}"
        deliveries = f"{row.deliveries_s:.3f} s {row.deliveries_at}"
        yield f"| {row.fault} | {row.times} | {posts} | {deliveries} |"
    yield from ("", "| lag at | entries | p50 | p99 | p99.9 | worst |", "|---|---|---|---|---|---|")
    for lag in figures.lags[: READERS_SHOWN + 1]:
        middle = f"{lag.p50_s:.3f} s | {lag.p99_s:.3f} s | {lag.p999_s:.3f} s"
        yield f"| {lag.reader} | {lag.deliveries} | {middle} | {lag.worst_s:.3f} s {lag.worst_at} |"
