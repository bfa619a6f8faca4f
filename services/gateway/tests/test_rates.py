"""A rate with a burst, for each key, in bounded memory."""

import pytest

from services.gateway.rates import Meter, Rate

RATE = Rate(2.0, 4)


def took(meter: Meter, key: str, now_s: float, rate: Rate = RATE) -> bool:
    """Come if it is time."""
    if meter.wait_s(key, rate, now_s):
        return False
    meter.book(key, rate, now_s)
    return True


def test_who_was_quiet_has_the_burst_and_then_the_rate() -> None:
    meter = Meter(10)
    assert [took(meter, "a", 50.0) for _ in range(6)] == [True] * 4 + [False] * 2
    assert meter.wait_s("a", RATE, 50.0) == 0.5
    assert not took(meter, "a", 50.4)
    assert took(meter, "a", 50.5)
    assert not took(meter, "a", 50.5)


def test_the_burst_comes_back_with_quiet_and_does_not_grow() -> None:
    meter = Meter(10)
    for now_s in (0.0, 2.0, 1_000.0):
        assert [took(meter, "a", now_s) for _ in range(5)] == [True] * 4 + [False]


def test_keys_know_nothing_of_each_other() -> None:
    meter = Meter(10)
    assert [took(meter, "a", 0.0) for _ in range(5)] == [True] * 4 + [False]
    assert [took(meter, "b", 0.0) for _ in range(5)] == [True] * 4 + [False]


@pytest.mark.parametrize("per_s", [0.3, 1.0, 3.0, 7.0, 1e6])
@pytest.mark.parametrize("start_s", [0.0, 0.1, 86_400.7])
def test_who_waits_as_told_is_in_time(per_s: float, start_s: float) -> None:
    """Never early by a rounding, however often."""
    meter, rate, now_s = Meter(10), Rate(per_s, 2), start_s
    for _ in range(1_000):
        now_s += meter.wait_s("a", rate, now_s)
        assert took(meter, "a", now_s, rate)
    assert now_s - start_s == pytest.approx(998 / per_s, rel=0.01, abs=0.01)


def test_memory_is_bounded_and_the_oldest_go_first() -> None:
    meter = Meter(100)
    for number in range(1_000):
        for _ in range(RATE.burst):
            assert took(meter, f"k{number}", 0.0)
        assert len(meter) <= 100
    assert meter.wait_s("k900", RATE, 0.0) > 0
    assert meter.wait_s("k899", RATE, 0.0) == 0


def test_who_comes_again_is_not_the_oldest() -> None:
    meter = Meter(2)
    for key in ("a", "b", "a", "a", "a", "c"):
        assert took(meter, key, 0.0)
    assert not took(meter, "a", 0.0)
    assert len(meter) == 2


def test_who_is_over_their_time_is_not_remembered() -> None:
    """A thousand that came once are gone after another thousand calls of one."""
    meter = Meter(10_000)
    for number in range(1_000):
        assert took(meter, f"k{number}", 0.0)
    assert len(meter) == 1_000
    for second in range(1, 1_001):
        assert took(meter, "a", float(second))
    assert len(meter) == 1
