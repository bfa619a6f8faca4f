"""What is wrong with what came of a seed."""

from checker.judge import judge
from checker.limits import Limits

from .world import Outcome

# Redis is emptied, and chat itself writes void entries of no post.
LIMITS = Limits(hints=False, foreign=True)


def wrongs(outcome: Outcome) -> list[str]:
    """One line for each; none if all laws held."""
    found = list(outcome.faults)
    if outcome.events:
        findings = judge(outcome.events, LIMITS).findings
        found += [f"{one.law} {one.kind}: {one.what}" for one in findings]
    return found
