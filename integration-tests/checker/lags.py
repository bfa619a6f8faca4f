"""How late entries came to those who were listening."""

from collections import defaultdict
from collections.abc import Iterable

from checker.channel import Channel
from checker.figures import Lag, percentile
from checker.history import Deliver

ALL = "all"
_Late = tuple[float, str]


def lags(channels: Iterable[Channel]) -> tuple[Lag, ...]:
    """All live readers together, then each, worst first. What was acknowledged before a reader
    asked first for a channel is history to it, and has no lag."""
    late: dict[str, list[_Late]] = defaultdict(list)
    for channel in channels:
        _collect(channel, late)
    rows = sorted((_row(reader, these) for reader, these in late.items()), key=_worst)
    together = [each for these in late.values() for each in these]
    return (_row(ALL, together), *rows)


def _collect(channel: Channel, late: dict[str, list[_Late]]) -> None:
    acked = {number: ack.t_ns for number, ack in channel.acked.items()}
    for ack in channel.acks:
        acked[ack.id] = min(acked[ack.id], ack.t_ns)
    first: dict[tuple[str, int], Deliver] = {}
    since: dict[str, int] = {}
    for reader, steps in channel.live:
        since[reader] = min(steps[0].t_ns, since.get(reader, steps[0].t_ns))
        for step in steps:
            if isinstance(step, Deliver) and _is_first(step, first.get((reader, step.id))):
                first[reader, step.id] = step
    for (reader, number), deliver in first.items():
        told = acked.get(number)
        if told is not None and told >= since[reader]:
            late[reader].append((max(deliver.t_ns - told, 0) / 1e9, f"{channel.name}/{number}"))


def _is_first(step: Deliver, known: Deliver | None) -> bool:
    return known is None or step.t_ns < known.t_ns


def _row(reader: str, late: list[_Late]) -> Lag:
    rising = sorted(each for each, _ in late)
    worst_s, worst_at = max(late, default=(0.0, ""))
    return Lag(
        reader=reader,
        deliveries=len(late),
        p50_s=percentile(rising, 0.5),
        p99_s=percentile(rising, 0.99),
        p999_s=percentile(rising, 0.999),
        worst_s=worst_s,
        worst_at=worst_at,
    )


def _worst(lag: Lag) -> tuple[float, str]:
    return -lag.worst_s, lag.reader
