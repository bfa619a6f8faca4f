"""Each limit: at its rate nobody meets it, over it the rest is refused and told when to come."""

from collections.abc import Callable

import pytest

from libs.testing.clock import VirtualClock
from libs.wire.codes import TryAgain
from services.gateway.limits import CONNECT_AGAIN_S_MAX, POLL_HELD_S_MAX, Limits
from services.gateway.metrics import ADMITTED, LIMITS_HIT
from services.gateway.seats import SEAT_AGAIN_S
from services.gateway.settings import Settings

Ask = Callable[[Limits], None]

# What is asked, its rate a second, its burst, and the name of the limit.
RATED = [
    pytest.param(lambda its: its.page("s", "c"), 1, 20, "pages", id="pages"),
    pytest.param(
        lambda its: its.post("u", "c", is_ruler=False), 1, 5, "posts_member", id="posts of a member"
    ),
    pytest.param(
        lambda its: its.post("u", "c", is_ruler=True), 30, 60, "posts", id="posts of an owner"
    ),
    pytest.param(lambda its: its.admit("events"), 2_000, 2_000, "connects", id="connects"),
]
LASTS_S = 60


def hits(limit: str) -> float:
    """How often a limit was met, as the metric tells it."""
    return float(LIMITS_HIT.labels(limit)._value.get())


def refused_after_s(ask: Ask, its: Limits) -> int | None:
    """None when it was granted, else the seconds that were told."""
    try:
        ask(its)
    except TryAgain as caught:
        refused = caught
    else:
        return None
    assert (refused.code.name, refused.code.status) == ("limit_hit", 429)
    return refused.retry_after_s or 0


@pytest.mark.parametrize(("ask", "per_s", "burst", "limit"), RATED)
@pytest.mark.parametrize("times", [1, 2, 10])
def test_what_is_over_the_rate_is_refused(
    ask: Ask, per_s: int, burst: int, limit: str, times: int
) -> None:
    """At the rate nothing, at twice the rate half, at ten times the rate nine tenths; the burst is
    on top, once."""
    clock = VirtualClock()
    its, before, lasts_s = Limits(Settings(), clock), hits(limit), 6_000 // per_s + 1
    granted = 0
    offered = per_s * times * lasts_s
    for _ in range(offered):
        after_s = refused_after_s(ask, its)
        granted += after_s is None
        assert after_s is None or after_s >= 1
        clock.advance(1 / (per_s * times))
    expected = offered if times == 1 else per_s * lasts_s + burst
    assert granted == pytest.approx(expected, abs=2)
    assert hits(limit) - before == offered - granted


@pytest.mark.parametrize(("ask", "per_s", "burst", "limit"), RATED)
def test_who_waits_as_told_gets_through(ask: Ask, per_s: int, burst: int, limit: str) -> None:
    clock = VirtualClock()
    its = Limits(Settings(), clock)
    for _ in range(burst):
        assert refused_after_s(ask, its) is None
    for _ in range(20):
        while (after_s := refused_after_s(ask, its)) is None:
            pass
        clock.advance(after_s)
        assert refused_after_s(ask, its) is None


def test_clients_and_channels_know_nothing_of_each_other() -> None:
    its = Limits(Settings(pages_burst=1, posts_member_burst=1), VirtualClock())
    for session in ("s1", "s2"):
        for channel in ("c1", "c2"):
            its.page(session, channel)
            its.post(session, channel, is_ruler=False)
    with pytest.raises(TryAgain, match="1 at once, then 1 a second"):
        its.page("s1", "c2")
    with pytest.raises(TryAgain, match="of a member"):
        its.post("s1", "c2", is_ruler=False)


def test_nobody_posts_to_many_channels_faster_than_an_owner_to_one() -> None:
    its = Limits(Settings(), VirtualClock())
    for number in range(60):
        its.post("ann", f"c{number}", is_ruler=number % 2 == 0)
    with pytest.raises(TryAgain, match="posts of a person"):
        its.post("ann", "another", is_ruler=False)
    its.post("bob", "another", is_ruler=False)


def test_the_role_is_needed_only_where_it_decides() -> None:
    its = Limits(Settings(posts_burst=8), VirtualClock())
    needed = []
    for _ in range(9):
        needed.append(its.needs_role("ann", "c"))
        refused_after_s(lambda its: its.post("ann", "c", is_ruler=needed[-1]), its)
    assert needed == [False] * 5 + [True] * 3 + [False]


def test_a_refused_post_costs_a_member_nothing() -> None:
    """Neither of the two counts goes up when one of them refuses."""
    clock = VirtualClock()
    its = Limits(Settings(posts_per_s=1, posts_burst=1), clock)
    its.post("ann", "c1", is_ruler=False)
    for _ in range(10):
        assert refused_after_s(lambda its: its.post("ann", "c2", is_ruler=False), its) == 1
    assert not its.needs_role("ann", "c2")
    clock.advance(1)
    its.post("ann", "c2", is_ruler=False)


@pytest.mark.parametrize(("is_large", "per_s"), [(False, 5), (True, 1)])
@pytest.mark.parametrize("times", [1, 2, 10])
def test_early_polls_are_held_and_come_at_the_rate(is_large: bool, per_s: int, times: int) -> None:
    """A client that polls as soon as it is answered, with so many connections."""
    clock = VirtualClock()
    its = Limits(Settings(), clock)
    answered: list[float] = []
    due = [0.0] * times
    while clock.monotonic() < LASTS_S:
        one = due.index(min(due))
        clock.advance(max(due[one] - clock.monotonic(), 0.0))
        due[one] = clock.monotonic() + its.poll("s", "c", is_large=is_large)
        answered.append(due[one])
    in_time = [at for at in answered if at <= LASTS_S]
    assert len(in_time) == pytest.approx(per_s * LASTS_S + 5, abs=2)
    assert in_time[:5] == [0.0] * 5


@pytest.mark.parametrize(("is_large", "every_s"), [(False, 0.2), (True, 1.0)])
def test_polls_at_the_rate_are_never_held(is_large: bool, every_s: float) -> None:
    clock = VirtualClock()
    its = Limits(Settings(), clock)
    for _ in range(1_000):
        assert its.poll("s", "c", is_large=is_large) == 0.0
        clock.advance(every_s)


def test_polls_of_other_clients_and_channels_are_not_held() -> None:
    its = Limits(Settings(), VirtualClock())
    assert [its.poll("s", "c", is_large=True) for _ in range(7)] == [0, 0, 0, 0, 0, 1, 2]
    assert its.poll("s", "d", is_large=True) == its.poll("t", "c", is_large=True) == 0


def test_polls_that_were_given_up_do_not_hold_the_next_one_for_ever() -> None:
    clock = VirtualClock()
    its = Limits(Settings(), clock)
    held = [its.poll("s", "c", is_large=True) for _ in range(1_000)]
    assert max(held) == POLL_HELD_S_MAX
    clock.advance(POLL_HELD_S_MAX)
    assert its.poll("s", "c", is_large=True) <= 1


def test_a_connection_watches_so_many_channels() -> None:
    its = Limits(Settings(), VirtualClock())
    its.watch(999)
    with pytest.raises(TryAgain, match="at most 1000; unwatch one") as refused:
        its.watch(1_000)
    assert refused.value.retry_after_s == SEAT_AGAIN_S


def test_all_who_were_sent_away_come_back_in_turns_and_get_in() -> None:
    """20,000 connect in one moment: each that obeys is sent away once, and the last is in when the
    rate allows it."""
    clock = VirtualClock()
    its = Limits(Settings(), clock)
    coming = {0: 20_000}
    sent_away = 0
    for second in range(30):
        for _ in range(coming.pop(second, 0)):
            after_s = refused_after_s(lambda its: its.admit("events"), its)
            if after_s is not None:
                sent_away += 1
                coming[second + after_s] = coming.get(second + after_s, 0) + 1
        clock.advance(1)
        if not coming:
            break
    assert not coming
    assert (sent_away, second) == (18_000, 9)


def test_nobody_is_sent_away_for_longer_than_a_minute() -> None:
    its = Limits(Settings(connects_per_s=10, connects_burst=1), VirtualClock())
    told = [refused_after_s(lambda its: its.admit("events"), its) or 0 for _ in range(2_000)]
    assert max(told) == CONNECT_AGAIN_S_MAX
    assert 25 < sum(told) / len(told) < 35


def test_those_who_are_let_in_are_counted() -> None:
    its = Limits(Settings(connects_per_s=1, connects_burst=2), VirtualClock())
    before = admitted()
    assert [refused_after_s(lambda its: its.admit("events"), its) is None for _ in range(3)] == [
        True,
        True,
        False,
    ]
    assert admitted() == before + 2


def admitted() -> float:
    """How many were let in, as the metric tells it."""
    return float(ADMITTED.labels("events")._value.get())
