"""What a run was like: how much happened, how long nothing went on, how late entries came."""

from collections.abc import Iterable
from math import ceil

from checker.channel import SHOWN, VOID, Attempt, Channel
from checker.history import Deliver, Failed, Invoke, Jump, Ok, Reset, Resume, Unknown
from libs.wire.codec import Struct


class Counts(Struct, frozen=True, kw_only=True):
    """`unknown` are attempts whose outcome nobody was told, `unanswered` those of them without any
    event. `first_id_back`: retries that were answered with an earlier post. `retry_first`: voids
    whose post an attempt after theirs had already made. `not_kept`: acknowledged ids below the
    first that the final readers could be given."""

    channels: int
    posts: int
    attempts: int
    acknowledged: int
    failed: int
    unknown: int
    unanswered: int
    first_id_back: int
    entries: int
    voids: int
    foreign: int
    retry_first: int
    deliveries: int
    readers: int
    resumes: int
    jumps: int
    resets: int
    final_reads: int
    not_kept: int


class Outage(Struct, frozen=True, kw_only=True):
    """The longest time, in seconds, without an acknowledgement in a channel and without a delivery
    to a live reader of one, that overlaps a fault or its aftermath; `at` says where. The row of
    fault "none" is of what overlaps no fault: what the load itself leaves empty."""

    fault: str
    times: int
    posts_s: float
    posts_at: str
    deliveries_s: float
    deliveries_at: str


class Lag(Struct, frozen=True, kw_only=True):
    """Seconds from acknowledgement to the first delivery at a reader. `reader` "all" is of all live
    readers together."""

    reader: str
    deliveries: int
    p50_s: float
    p99_s: float
    p999_s: float
    worst_s: float
    worst_at: str


class Figures(Struct, frozen=True, kw_only=True):
    """All figures of one history."""

    counts: Counts
    outages: tuple[Outage, ...]
    lags: tuple[Lag, ...]


def counts(channels: Iterable[Channel]) -> Counts:
    """How often what happened."""
    these = list(channels)
    attempts = [each for one in these for tries in one.attempts.values() for each in tries]
    outcomes = [attempt.outcome for attempt in attempts]
    entries = [entry for one in these for entry in one.entries.values()]
    steps = [step for one in these for steps in one.sessions.values() for step in steps]
    voids = [entry for entry in entries if entry.type == VOID]
    return Counts(
        channels=len(these),
        posts=sum(len(one.attempts) for one in these),
        attempts=len(attempts),
        acknowledged=sum(isinstance(each, Ok) for each in outcomes),
        failed=sum(isinstance(each, Failed) for each in outcomes),
        unknown=sum(each is None or isinstance(each, Unknown) for each in outcomes),
        unanswered=sum(each is None for each in outcomes),
        first_id_back=sum(isinstance(each, Ok) and not each.is_new for each in outcomes),
        entries=len(entries),
        voids=len(voids),
        foreign=sum(each.dup_of is None for each in voids),
        retry_first=sum(_retries_first(one) for one in these),
        deliveries=sum(isinstance(step, Deliver) for step in steps),
        readers=len({reader for one in these for reader, _ in one.sessions}),
        resumes=sum(isinstance(step, Resume) for step in steps),
        jumps=sum(isinstance(step, Jump) for step in steps),
        resets=sum(isinstance(step, Reset) for step in steps),
        final_reads=sum(len(one.finals) for one in these),
        not_kept=sum(_not_kept(one) for one in these),
    )


def percentile(rising: list[float], part: float) -> float:
    """The smallest that at least `part` (0..1) do not exceed; 0 of none."""
    return rising[max(ceil(part * len(rising)) - 1, 0)] if rising else 0.0


def _not_kept(channel: Channel) -> int:
    floor = min((read.floor for read in channel.final_reads), default=0)
    return sum(number < floor for number in channel.acked)


def _retries_first(channel: Channel) -> int:
    """Voids that were written by an attempt older than the one that made the message.

    A record does not say which attempt wrote it. But `is_new` says of the acknowledged attempt that
    it made the message itself, so a void of the same post is of another attempt that may have
    written. If all of those were begun before the acknowledged one, the original came after its
    retry. If one was begun later, nothing is said: this counts what is certain, not all there is.
    """
    found = 0
    for number, entry in channel.entries.items():
        key = channel.keys.get(number)
        if entry.type == VOID and key in channel.attempts:
            found += _is_of_an_older(channel, channel.attempts[key], number)
    return found


def _is_of_an_older(channel: Channel, attempts: list[Attempt], void: int) -> bool:
    for attempt in attempts:
        made = attempt.outcome
        if isinstance(made, Ok) and made.is_new and made.id < void:
            message = channel.entries.get(made.id)
            others = [one.invoke for one in attempts if one is not attempt and one.may_have_written]
            is_shown = message is not None and message.type == SHOWN
            return is_shown and bool(others) and all(_older(one, attempt) for one in others)
    return False


def _older(one: Invoke, than: Attempt) -> bool:
    return (one.t_ns, one.attempt) < (than.invoke.t_ns, than.invoke.attempt)
