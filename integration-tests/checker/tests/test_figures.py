"""Figures of the story, which can be counted by hand."""

from checker.channel import sort_out
from checker.figures import percentile
from checker.history import Deliver, Event, Fault, Invoke, Ok
from checker.judge import judge
from checker.lags import ALL, lags
from checker.limits import PROMISED
from checker.outages import outages
from checker.tests.story import S, changed, is_of, story, with_these, without


def test_counts_are_those_of_the_story() -> None:
    counts = judge(story()).figures.counts
    assert (counts.posts, counts.attempts, counts.acknowledged) == (30, 32, 28)
    assert (counts.failed, counts.unknown, counts.unanswered) == (1, 3, 1)
    assert (counts.entries, counts.voids, counts.foreign) == (30, 2, 0)
    assert (counts.readers, counts.jumps, counts.final_reads) == (5, 1, 2)
    assert counts.deliveries == 30 + 28 + 10 + 2 * 30


def test_voids_of_tries_older_than_the_acknowledged_one_landed_after_their_retry() -> None:
    assert judge(story()).figures.counts.retry_first == 2


def test_nothing_is_said_of_a_void_that_a_later_try_may_have_made() -> None:
    later = Invoke(6 * S, "p", "c", "ann", "k5", "text k5", True, 4)
    assert judge(with_these(story(), later)).figures.counts.retry_first == 0


def test_nothing_is_said_when_the_acknowledged_try_made_no_message() -> None:
    history = changed(story(), is_of(Ok, client_id="k5"), is_new=False)
    counts = judge(history).figures.counts
    assert (counts.retry_first, counts.first_id_back) == (0, 1)


def test_an_outage_is_the_longest_silence_that_overlaps_the_fault() -> None:
    quiet = _silent(story(), 16 * S, 19 * S)
    killed, none = judge(quiet).figures.outages
    assert (killed.fault, killed.times, killed.posts_at) == ("kill", 1, "c")
    # 15 is void, so the acknowledgement before 19 is that of 14.
    assert killed.posts_s == 5.0
    assert killed.deliveries_s == 4.0
    assert (none.fault, none.posts_s) == ("none", 2.0)


def test_silence_long_after_a_fault_is_not_its_outage() -> None:
    sorting = sort_out(_silent(story(), 20 * S, 29 * S))
    assert outages(sorting.channels.values(), sorting.faults, PROMISED)[0].posts_s == 10.0
    short = type(PROMISED)(aftermath_ns=1 * S)
    killed, none = outages(sorting.channels.values(), sorting.faults, short)
    assert (killed.posts_s, none.posts_s) == (2.0, 10.0)


def test_posting_that_never_comes_back_is_an_outage_until_the_last_try() -> None:
    history = _silent(story(), 17 * S, 40 * S)
    killed, _ = judge(history).figures.outages
    assert killed.posts_s == 31 - 16 - 0.002


def test_a_fault_that_is_not_ended_lasts() -> None:
    history = without(_silent(story(), 20 * S, 29 * S), is_of(Fault, phase="end"))
    short = type(PROMISED)(aftermath_ns=0)
    assert judge(history, short).figures.outages[0].posts_s == 10.0


def test_a_lag_is_from_the_acknowledgement_to_the_first_delivery() -> None:
    channels = sort_out(changed(story(), is_of(Deliver, reader="r2", id=30), t_ns=35 * S)).channels
    together, worst, *rest = lags(channels.values())
    assert (worst.reader, worst.worst_s, worst.worst_at) == ("r2", 4.998, "c/30")
    assert worst.p50_s == 0.01
    assert together.reader == ALL
    assert together.deliveries == worst.deliveries + sum(lag.deliveries for lag in rest)
    assert {lag.reader for lag in rest} == {"r1", "eve1"}


def test_what_was_acknowledged_before_a_reader_asked_has_no_lag() -> None:
    history = changed(story(), is_of(Deliver, reader="eve1"), t_ns=50 * S)
    history = changed(history, lambda one: getattr(one, "user", "") == "eve", t_ns=49 * S)
    assert "eve1" not in {lag.reader for lag in judge(history).figures.lags}


def test_a_percentile_is_a_value_that_was_seen() -> None:
    rising = [float(number) for number in range(1, 101)]
    assert [percentile(rising, part) for part in (0.5, 0.99, 0.999, 0.0)] == [50, 99, 100, 1]
    assert percentile([], 0.5) == 0


def _silent(history: list[Event], since_ns: int, until_ns: int) -> list[Event]:
    """Without the acknowledgements and live deliveries between two times."""
    return [
        event
        for event in history
        if not (isinstance(event, Ok | Deliver) and since_ns < event.t_ns < until_ns)
    ]
