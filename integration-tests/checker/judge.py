"""From a history to a verdict.

No search is needed: an append returns its place and posts are unique, so the order is given and
each law is a pass over it; the whole costs a sort. L6, L7 and L10 are not seen from outside; other
tests hold them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from checker.channel import Channel, Sorting, sort_out
from checker.figures import Figures, counts
from checker.history import Event, merge
from checker.lags import lags
from checker.limits import PROMISED, Limits
from checker.outages import outages
from checker.rules.access import after_access_ended
from checker.rules.agreement import inconsistent, vanished
from checker.rules.density import gap
from checker.rules.identity import repeated, two_ids
from checker.rules.loss import lost, unseen, wrong_id
from checker.rules.order import order
from checker.rules.phantom import phantom
from checker.rules.sessions import sessions
from checker.rules.voids import void_verdict
from checker.rules.whole import no_final, unmatched
from checker.verdict import Finding, Verdict, finding

Rule = Callable[[Channel, Limits], Iterator[Finding]]
EMPTY = "empty"
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "lost": lost,
        "unseen": unseen,
        "wrong-id": wrong_id,
        "phantom": phantom,
        "inconsistent": inconsistent,
        "vanished": vanished,
        "gap": gap,
        "order": order,
        "repeated": repeated,
        "two-ids": two_ids,
        "void-verdict": void_verdict,
        "sessions": sessions,
        "after-access-ended": after_access_ended,
        "no-final": no_final,
        "unmatched": unmatched,
    }
)


def judge(
    history: Iterable[Event], limits: Limits = PROMISED, *, rules: Mapping[str, Rule] = RULES
) -> Verdict:
    """The verdict on a history, whose events may come in any order of their times. Those of one
    session that bear one time must be in the order in which they were."""
    sorted_out = sort_out(merge([history]))
    found = [
        each
        for channel in sorted_out.channels.values()
        for rule in rules.values()
        for each in rule(channel, limits)
    ]
    if not any(channel.acks for channel in sorted_out.channels.values()):
        found.append(finding(EMPTY, "nothing was acknowledged, so nothing is shown", []))
    return Verdict(tuple(found), _figures(sorted_out, limits), tuple(rules))


def _figures(sorted_out: Sorting, limits: Limits) -> Figures:
    channels = sorted_out.channels.values()
    return Figures(
        counts=counts(channels),
        outages=outages(channels, sorted_out.faults, limits),
        lags=lags(channels),
    )
