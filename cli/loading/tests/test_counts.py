"""What a run counts with: latencies, ids, contents, texts, errors, and who does what."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cli.loading import text
from cli.loading.contents import OTHER, Contents
from cli.loading.errors import KINDS_MAX, REST, Errors
from cli.loading.latencies import STEP, STEPS_MAX, Latencies, added
from cli.loading.share import POSTS_PERSON_PER_S, Wanted, owner_of, plans
from cli.loading.watched import Taken, Watched
from cli.loading.words import Person, Place


@given(some.lists(some.floats(1.0, 500_000.0), min_size=1, max_size=50), some.floats(0.01, 1.0))
def test_a_percentile_is_never_told_too_low_and_right_to_a_step(
    took: list[float], share: float
) -> None:
    latencies = Latencies()
    for each in took:
        latencies.take(each)
    exact = sorted(took)[max(-(-share * len(took) // 1), 1).__int__() - 1]
    told = latencies.percentile_ms(share)
    assert told is not None
    assert exact * 0.999 - 0.01 <= told <= exact * STEP * 1.001 + 0.01


def test_of_nothing_there_is_no_percentile_and_what_takes_for_ever_is_bounded() -> None:
    latencies = Latencies()
    assert latencies.percentile_ms(0.5) is None
    for took in (0.0, 1e12):
        latencies.take(took)
    assert latencies.steps == {0: 1, STEPS_MAX: 1}


def test_processes_are_added_up() -> None:
    assert added([{1: 2}, {1: 1, 7: 4}]).steps == Counter({7: 4, 1: 3})


def test_who_gets_all_in_order_lost_nothing() -> None:
    watched = Watched(10)
    assert {watched.take(ident) for ident in range(11, 15)} == {Taken.NEXT}
    assert (watched.lost(14), watched.missing, watched.last) == (0, 0, 14)


def test_what_does_not_come_is_lost_wherever_it_is() -> None:
    watched = Watched(0)
    for ident in (1, 2, 5):
        watched.take(ident)
    assert (watched.missing, watched.lost(5), watched.lost(8)) == (2, 2, 5)
    assert [watched.has(ident) for ident in (0, 1, 3, 5, 6)] == [False, True, False, True, False]


def test_what_comes_late_is_out_of_order_and_what_comes_twice_is_repeated() -> None:
    watched = Watched(0)
    taken = [watched.take(ident) for ident in (1, 3, 2, 2, 3, 0)]
    assert taken == [
        *(Taken.NEXT, Taken.NEXT, Taken.OUT_OF_ORDER, Taken.REPEATED, Taken.REPEATED),
        Taken.REPEATED,
    ]
    assert watched.lost(3) == 0


def test_what_a_jump_leaves_out_did_not_come() -> None:
    watched = Watched(0)
    watched.take(1)
    watched.jump(1_500)
    watched.take(1_501)
    assert (watched.last, watched.lost(1_501)) == (1_501, 1_499)


def test_followers_have_to_see_the_same() -> None:
    contents = Contents()
    for ident, number in ((1, 7), (1, 7), (2, OTHER), (2, 8)):
        contents.take(ident, number)
    assert contents.differing == 1


def test_what_was_acknowledged_has_to_be_where_it_was_said_to_be() -> None:
    contents = Contents()
    for ident, number in ((1, 7), (2, OTHER), (3, 9)):
        contents.take(ident, number)
    assert contents.unfounded([(1, 7), (3, 9)]) == 0
    # What did not come at all is lost, which is counted elsewhere.
    assert contents.unfounded([(1, 8), (2, 5), (4, 6)]) == 2


def test_a_post_is_written_once() -> None:
    contents = Contents()
    for ident, number in ((1, 7), (2, 7), (3, 7), (4, OTHER), (5, OTHER)):
        contents.take(ident, number)
    assert contents.written_again() == 2


def test_a_text_tells_its_run_its_number_and_its_time() -> None:
    sent = text.read("run", text.written("run", 17, 100))
    assert sent is not None
    assert sent.number == 17
    assert 0 <= text.took_ms(sent) < 5_000
    assert len(text.written("run", 17, 100)) == 100
    for other in ("hello", "", "run x 1 .", "run 1 x .", "other 17 5 ...", "run 17 5"):
        assert text.read("run", other) is None


def test_errors_that_differ_without_end_are_bounded() -> None:
    errors = Errors()
    for number in range(KINDS_MAX + 5):
        errors.note(f"kind {number}")
    errors.note("kind 0")
    assert len(errors.counts) == KINDS_MAX + 1
    assert (errors.counts[REST], errors.counts["kind 0"]) == (5, 2)


def _wanted(**changed: object) -> Wanted:
    given: dict[str, object] = {
        "url": "http://here",
        "data": "var",
        "ways": {"websocket": 5, "poll": 2},
        "channels": 3,
        "follows": 2,
        "per_s": 90.0,
        "seconds": 10.0,
        "ramp_s": 7.0,
        "processes": 2,
        "characters": 100,
    }
    return Wanted(**{**given, **changed})  # type: ignore[arg-type]


def test_work_is_shared_over_processes_and_nobody_is_left_out() -> None:
    wanted = _wanted()
    people = [Person(f"u{number}") for number in range(wanted.people)]
    places = [Place(f"c{number}", 1, 0) for number in range(wanted.channels)]
    parts = plans(wanted, "run", places, people)
    followings = [each for part in parts for each in part.followings]
    assert Counter(each.way for each in followings) == wanted.ways
    assert len({each.person.user for each in followings}) == wanted.followers
    assert all(len(set(each.places)) == wanted.follows for each in followings)
    assert max(each.after_s for each in followings) < wanted.ramp_s
    assert sum(part.per_s for part in parts) == wanted.per_s
    assert {(part.first, part.step) for part in parts} == {(0, 2), (1, 2)}


@pytest.mark.parametrize(
    ("per_s", "channels", "processes"), [(1, 1, 1), (90, 3, 2), (1_000, 1, 3), (5, 40, 2)]
)
def test_each_channel_is_posted_to_by_its_owner_and_nobody_posts_too_often(
    per_s: float, channels: int, processes: int
) -> None:
    wanted = _wanted(per_s=per_s, channels=channels, processes=processes, follows=1)
    people = [Person(f"u{number}") for number in range(wanted.people)]
    places = [Place(f"c{number}", 1, 0) for number in range(channels)]
    parts = plans(wanted, "run", places, people)
    posters = [each for part in parts for each in part.posters]
    assert all(part.per_s / len(part.posters) <= POSTS_PERSON_PER_S for part in parts)
    by_user = {each.person.user: each for each in posters}
    for place in range(channels):
        assert place in by_user[f"u{owner_of(wanted, place)}"].places
    assert all(each.places for each in posters)
