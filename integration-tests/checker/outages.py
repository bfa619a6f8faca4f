"""How long nothing went on while a fault was at work."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from checker.channel import Channel
from checker.figures import Outage
from checker.history import Deliver, Fault
from checker.limits import Limits

Window = tuple[float, float]
_Series = list[tuple[str, list[int]]]
_Worst = tuple[float, str]
NO_FAULT = "none"


def outages(channels: Iterable[Channel], faults: list[Fault], limits: Limits) -> tuple[Outage, ...]:
    """A row for each kind of fault, and one for the time without."""
    these = list(channels)
    posts = [(one.name, _posts(one)) for one in these]
    deliveries = [series for one in these for series in _deliveries(one)]
    kinds = windows(faults, limits)
    rows = [_row(name, spans, posts, deliveries) for name, spans in sorted(kinds.items())]
    every = [span for spans in kinds.values() for span in spans]
    calm = Outage(
        fault=NO_FAULT,
        times=0,
        posts_s=(quiet := _calm(posts, every))[0],
        posts_at=quiet[1],
        deliveries_s=(still := _calm(deliveries, every))[0],
        deliveries_at=still[1],
    )
    return (*rows, calm)


def windows(faults: list[Fault], limits: Limits) -> dict[str, list[Window]]:
    """From the beginning of each fault to the end of its aftermath, by kind. A fault that was not
    ended lasts for ever."""
    spans: dict[str, list[Window]] = defaultdict(list)
    begun: dict[tuple[str, str], list[int]] = defaultdict(list)
    for fault in faults:
        open_here = begun[fault.name, fault.target]
        if fault.phase == "begin":
            open_here.append(fault.t_ns)
        elif open_here:
            spans[fault.name].append((open_here.pop(), fault.t_ns + limits.aftermath_ns))
    for (name, _), left in begun.items():
        spans[name] += [(begin, float("inf")) for begin in left]
    return dict(spans)


def _posts(channel: Channel) -> list[int]:
    """Times of acknowledgements, and those of the first and the last attempt: who asks and has no
    answer yet, or never has one, is in an outage too."""
    tries = [each.invoke.t_ns for tries in channel.attempts.values() for each in tries]
    edges = [min(tries), max(tries)] if tries else []
    return sorted([*(ack.t_ns for ack in channel.acks), *edges])


def _deliveries(channel: Channel) -> Iterator[tuple[str, list[int]]]:
    times: dict[str, list[int]] = defaultdict(list)
    for reader, steps in channel.live:
        times[reader] += [step.t_ns for step in steps if isinstance(step, Deliver)]
    for reader, these in times.items():
        yield f"{channel.name} at {reader}", sorted(these)


def _row(name: str, spans: list[Window], posts: _Series, deliveries: _Series) -> Outage:
    posts_s, posts_at = _worst(posts, spans)
    deliveries_s, deliveries_at = _worst(deliveries, spans)
    return Outage(
        fault=name,
        times=len(spans),
        posts_s=posts_s,
        posts_at=posts_at,
        deliveries_s=deliveries_s,
        deliveries_at=deliveries_at,
    )


def _worst(series: _Series, spans: list[Window]) -> _Worst:
    found = ((_longest(times, span), at) for at, times in series for span in spans)
    return max(found, default=(0.0, ""))


def _longest(times: list[int], span: Window) -> float:
    """The longest step of `times` that overlaps a span, in seconds."""
    start = max(bisect_right(times, span[0]) - 1, 0)
    end = bisect_left(times, span[1]) + 1
    return max((after - before for before, after in pairwise(times[start:end])), default=0) / 1e9


def _calm(series: _Series, spans: list[Window]) -> _Worst:
    worst = 0.0, ""
    for at, times in series:
        for before, after in pairwise(times):
            if (after - before) / 1e9 > worst[0] and not _overlaps(before, after, spans):
                worst = (after - before) / 1e9, at
    return worst


def _overlaps(before: int, after: int, spans: list[Window]) -> bool:
    return any(begin < after and before < end for begin, end in spans)
