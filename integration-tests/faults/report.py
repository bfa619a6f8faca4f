"""What a run is told by: a page in Markdown, the same in JSON, and one line for the end of the run."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from faults.outages import Figure, figures, of_delivery, of_posts
from faults.seen import ACKNOWLEDGED, VOID, Seen
from faults.verdict import findings

FOLLOWERS = "follower"
HEADINGS = (
    *("fault", "times", "alone", "posts, alone", "delivery, alone"),
    *("posts, mixed", "delivery, mixed"),
)


@dataclass(frozen=True)
class Evidence:
    """What shows that the faults reached what they were meant for, counted in posts."""

    unknown_outcomes: int
    voids: int
    retries_before_their_originals: int
    retries_with_the_first_id: int


@dataclass(frozen=True)
class Report:
    """One run. `findings` is empty when it was clean; latencies are of posts, in seconds."""

    seed: int
    posts: int
    attempts: int
    deliveries: int
    faults: int
    lasted_s: float
    p50_s: float
    p99_s: float
    answers: dict[str, int]
    evidence: Evidence
    figures: list[Figure]
    findings: list[str]

    @property
    def is_clean(self) -> bool:
        """Whether every law held."""
        return not self.findings


def report_of(seed: int, seen: Seen) -> Report:
    """The report of a history."""
    waits = sorted(
        post.acknowledged - post.invoked
        for post in seen.posts.values()
        if post.acknowledged is not None
    )
    moments = [post.invoked for post in seen.posts.values()]
    answers = Counter(
        f"{status} {code}".strip() if status else f"no answer ({code})"
        for post in seen.posts.values()
        for _, status, code, _ in post.outcomes
    )
    return Report(
        seed=seed,
        posts=len(seen.posts),
        attempts=sum(post.attempts for post in seen.posts.values()),
        deliveries=sum(reader.startswith(FOLLOWERS) for reader, _, _ in seen.entries()),
        faults=len(seen.faults),
        lasted_s=max(moments) - min(moments),
        p50_s=waits[len(waits) // 2],
        p99_s=waits[len(waits) * 99 // 100],
        answers=dict(answers.most_common()),
        evidence=evidence_of(seen),
        figures=figures(seen, of_posts(seen), of_delivery(seen, FOLLOWERS)),
        findings=findings(seen),
    )


def evidence_of(seen: Seen) -> Evidence:
    """What of the rare things was seen. A retry landed before its original when the last attempt
    made the message (201) and another record of the post came behind it; it got its first id back
    when it was answered with a message that it had not made (200), and there is no other record."""
    voids = {
        entry.client_id: entry
        for entries in seen.finals.values()
        for entry in entries
        if entry.type == VOID
    }
    unknown = before = first = 0
    for post in seen.posts.values():
        codes = {code for _, status, code, _ in post.outcomes if status not in ACKNOWLEDGED}
        unknown += bool(codes & {"outcome_unknown", "timeout"})
        told = [(attempt, status) for attempt, status, _, _ in post.outcomes if status == 201]
        before += told == [(post.attempts, 201)] and post.attempts > 1 and post.key in voids
        repeated = any(status == 200 for _, status, _, _ in post.outcomes)
        first += repeated and post.key not in voids
    return Evidence(unknown, len(voids), before, first)


def write(report: Report, folder: Path, *, replay: str) -> None:
    """`report.md` and `report.json` in a folder."""
    told = json.dumps(asdict(report), indent=1)
    (folder / "report.json").write_text(told + "\n", encoding="utf-8")
    (folder / "report.md").write_text(_page(report, replay), encoding="utf-8")


def line_of(report: Report) -> str:
    """One line for the end of the run."""
    told, verdict = report.evidence, "clean" if report.is_clean else "BROKEN"
    worst = max(report.figures, key=lambda figure: figure.posts_alone_s)
    return (
        f"seed {report.seed}: {verdict}; {report.posts} posts in {report.attempts} attempts, "
        f"{report.deliveries} deliveries, {report.faults} faults in {report.lasted_s:.0f} s; "
        f"{told.unknown_outcomes} unknown, {told.voids} void, "
        f"{told.retries_before_their_originals} retries before their originals, "
        f"{told.retries_with_the_first_id} with their first id; longest outage of posts "
        f"{worst.posts_alone_s:.1f} s ({worst.sort})"
    )


def _page(report: Report, replay: str) -> str:
    answers = [f"| {name} | {count} |" for name, count in report.answers.items()]
    rows = [
        f"| {each.sort} | {each.times} | {each.alone} | {_s(each.posts_alone_s)} "
        f"| {_s(each.delivery_alone_s)} | {_s(each.posts_mixed_s)} | {_s(each.delivery_mixed_s)} |"
        for each in report.figures
    ]
    found = [f"- {finding}" for finding in report.findings] or ["Every law held."]
    lines = (
        *(f"# Faults, seed {report.seed}", "", line_of(report), "", f"Again: `{replay}`", ""),
        *("## Verdict", "", *found, "", "## Longest outages by fault, in seconds", ""),
        "An outage: somebody waited, and nobody in the same channel was served. `alone`: while this "
        "was the only fault, up to four seconds after it was healed.",
        *("", f"| {' | '.join(HEADINGS)} |", "| --- " * len(HEADINGS) + "|", *rows),
        *("", "## Answers to attempts", "", "| answer | times |", "| --- | --- |", *answers, ""),
        f"Acknowledged after {report.p50_s * 1000:.0f} ms (p50) and {report.p99_s:.1f} s (p99).",
    )
    return "\n".join(lines) + "\n"


def _s(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds else "-"
