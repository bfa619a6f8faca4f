"""L9: access that ended is not used."""

from collections import defaultdict
from collections.abc import Iterator

from checker.channel import Channel
from checker.history import AccessEnded, Deliver
from checker.limits import Limits
from checker.verdict import Finding, finding

_Span = tuple[AccessEnded, float]


def after_access_ended(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """A user was given an entry that was begun more than the grace after their access had ended,
    before they had access again. When it was appended is not known; it was not before it began."""
    spans = _spans(channel)
    if not spans:
        return
    for deliver in channel.delivers:
        ended = _ended(spans.get(channel.users.get(deliver.reader, deliver.reader), ()), deliver)
        key = channel.keys.get(deliver.id)
        invoke = channel.begun.get(key) if key else None
        if ended and invoke and invoke.t_ns > ended.t_ns + limits.access_ns:
            what = (
                f"{channel.name}/{deliver.id} was begun {(invoke.t_ns - ended.t_ns) / 1e9:.2f} s "
                f"after the access of {ended.user} had ended, and given to {deliver.reader}"
            )
            yield finding("after-access-ended", what, [ended, invoke, deliver])


def _spans(channel: Channel) -> dict[str, list[_Span]]:
    spans: dict[str, list[_Span]] = defaultdict(list)
    for event in channel.access:
        mine = spans[event.user]
        is_over = bool(mine) and mine[-1][1] == float("inf")
        if isinstance(event, AccessEnded) and not is_over:
            mine.append((event, float("inf")))
        elif not isinstance(event, AccessEnded) and is_over:
            mine[-1] = mine[-1][0], event.t_ns
    return spans


def _ended(spans: list[_Span] | tuple[()], deliver: Deliver) -> AccessEnded | None:
    for ended, until in spans:
        if ended.t_ns < deliver.t_ns < until:
            return ended
    return None
