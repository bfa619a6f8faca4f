"""What a run is told by: a page in Markdown, the same in JSON, and one line."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from checker.history import Event, Failed, Ok, Unknown
from checker.judge import judge
from checker.limits import Limits
from faults.outages import Figure, figures, of_delivery, of_posts
from faults.seen import Seen, seen

FOLLOWERS = "follower"
# More say nothing new; the history has them all.
FINDINGS_MAX = 20
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


def report_of(seed: int, events: Sequence[Event], lacks: Sequence[str] = ()) -> Report:
    """The report of a history, whose events are in the order of their times. `lacks` is what was
    not well in time, which the history does not tell."""
    found = seen(events)
    waits = sorted(
        post.acknowledged - post.invoked
        for post in found.posts.values()
        if post.acknowledged is not None
    )
    moments = [post.invoked for post in found.posts.values()]
    answers = Counter(_named(outcome) for post in found.posts.values() for outcome in post.outcomes)
    return Report(
        seed=seed,
        posts=len(found.posts),
        attempts=sum(post.attempts for post in found.posts.values()),
        deliveries=sum(
            len(given)
            for (reader, _), given in found.deliveries.items()
            if reader.startswith(FOLLOWERS)
        ),
        faults=len(found.faults),
        lasted_s=max(moments) - min(moments),
        p50_s=waits[len(waits) // 2],
        p99_s=waits[len(waits) * 99 // 100],
        answers=dict(answers.most_common()),
        evidence=evidence_of(found),
        figures=figures(found, of_posts(found), of_delivery(found, FOLLOWERS)),
        findings=[*lacks, *_unanswered(found), *_broken(events)],
    )


def _unanswered(found: Seen) -> list[str]:
    # No law of the log, but what users live on: in the end every post has its answer.
    waiting = [post for post in found.posts.values() if post.acknowledged is None]
    return _few([f"{each.key}: no answer in {each.attempts} attempts" for each in waiting])


def _broken(events: Sequence[Event]) -> list[str]:
    # Redis is emptied in these runs, so that repetitions are known within the window only; and chat
    # writes void entries behind what a leader that died may have left.
    verdict = judge(events, Limits(hints=False, foreign=True))
    return _few([f"{each.law} {each.kind}: {each.what}" for each in verdict.findings])


def _few(told: list[str]) -> list[str]:
    rest = len(told) - FINDINGS_MAX
    return told[:FINDINGS_MAX] + ([f"{rest} more like the last"] if rest > 0 else [])


def evidence_of(found: Seen) -> Evidence:
    """What of the rare things was seen. A retry landed before its original when the last attempt
    made the message and another record of the post came behind it; it got its first id back
    when it was answered with a message that it had not made (200), and there is no other record."""
    unknown = before = first = 0
    repeated = found.repeated()
    for post in found.posts.values():
        told = post.acknowledgements
        is_repeated = post.key in repeated
        unknown += any(isinstance(outcome, Unknown) for outcome in post.outcomes)
        by_the_last = [(each.attempt, each.is_new) for each in told] == [(post.attempts, True)]
        before += by_the_last and post.attempts > 1 and is_repeated
        first += not is_repeated and any(not each.is_new for each in told)
    return Evidence(unknown, len(found.voids), before, first)


def _named(outcome: Ok | Failed | Unknown) -> str:
    if isinstance(outcome, Ok):
        return "acknowledged as new" if outcome.is_new else "acknowledged as an earlier one"
    return f"{outcome.code} ({'unknown' if isinstance(outcome, Unknown) else 'not written'})"


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
        "An outage: somebody waited, and nobody in the same channel was served. `alone`: while "
        "this was the only fault, up to four seconds after it was healed.",
        *("", f"| {' | '.join(HEADINGS)} |", "| --- " * len(HEADINGS) + "|", *rows),
        *("", "## Answers to attempts", "", "| answer | times |", "| --- | --- |", *answers, ""),
        f"Acknowledged after {report.p50_s * 1000:.0f} ms (p50) and {report.p99_s:.1f} s (p99).",
    )
    return "\n".join(lines) + "\n"


def _s(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds else "-"
