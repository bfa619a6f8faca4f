"""The end of the demo, in words."""

from collections import Counter
from collections.abc import Iterator

from demo.verdict import Verdict, named


def lines(verdict: Verdict) -> Iterator[str]:
    """What there is to say."""
    yield f"posted        {verdict.posted:,}"
    yield (
        f"delivered     {verdict.delivered:,} of {verdict.expected:,}"
        f" ({verdict.posted:,} posts x {verdict.followers} followers)"
    )
    yield from _wrong("lost", verdict.lost)
    yield from _wrong("repeated", verdict.repeated)
    yield from _wrong("out of order", verdict.out_of_order)
    if verdict.unposted:
        yield from _wrong("unposted", verdict.unposted)
    for trouble, count in verdict.troubles.most_common():
        yield f"in trouble    {count} followers: {trouble}"
    for way in verdict.late_ms:
        half, most = verdict.late(way, 0.5), verdict.late(way, 0.99)
        if half is not None:
            cost = f"{verdict.cpu_us(way):.0f} us of a core each for the follower"
            yield f"{way:13} p50 {half} ms, p99 {most} ms, {cost}"
    yield (
        "              (from the time at which the log took an entry to the moment in which its"
        " follower had it; one machine, one clock)"
    )


def _wrong(what: str, ids: Counter[int]) -> Iterator[str]:
    where = f": entries {named(ids)}" if ids else ""
    yield f"{what:13} {ids.total():,}{where}"
