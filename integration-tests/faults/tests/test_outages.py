"""An outage is a time in which somebody waited and nobody was served, and it is blamed on what was
wrong then."""

from faults.outages import Outage, Served, figures, outages
from faults.seen import Seen, Span


def longest(served: list[Served]) -> float:
    return max(outage.lasted for outage in outages(served))


def test_a_pause_in_which_nobody_asks_is_no_outage() -> None:
    assert longest([Served(1.0, 0.9), Served(60.0, 59.9)]) < 0.2


def test_a_wait_of_many_is_as_long_as_nobody_was_served() -> None:
    calm = [Served(at / 10, at / 10 - 0.01) for at in range(10)]
    waited = [Served(5.0, 1.0), Served(5.1, 2.0), Served(5.2, 3.0)]
    assert longest(calm + waited) == 4.0


def test_one_that_waits_while_others_are_served_is_no_outage() -> None:
    others = [Served(at / 10, at / 10 - 0.01) for at in range(100)]
    assert longest([*others, Served(9.95, 0.0)]) < 0.2


def test_an_outage_is_blamed_on_the_fault_in_whose_time_it_lies() -> None:
    seen = Seen(faults=[Span("kill", "a", 10.0, 15.0), Span("stall", "b", 40.0, 45.0)])
    found = {each.sort: each for each in figures(seen, [Outage(10.5, 12.5)], [Outage(46.0, 47.0)])}
    assert (found["kill"].posts_alone_s, found["kill"].delivery_alone_s) == (2.0, 0.0)
    assert (found["stall"].posts_alone_s, found["stall"].delivery_alone_s) == (0.0, 1.0)
    assert found["none"].posts_alone_s == 0.0


def test_with_two_faults_at_once_neither_is_blamed_alone() -> None:
    seen = Seen(faults=[Span("kill", "a", 10.0, 15.0), Span("stall", "b", 10.0, 18.0)])
    found = {each.sort: each for each in figures(seen, [Outage(11.0, 14.0)], [])}
    assert [found[sort].posts_mixed_s for sort in ("kill", "stall")] == [3.0, 3.0]
    assert [found[sort].posts_alone_s for sort in ("kill", "stall")] == [0.0, 0.0]
    assert [found[sort].alone for sort in ("kill", "stall")] == [0, 0]


def test_what_no_fault_explains_is_blamed_on_none() -> None:
    seen = Seen(faults=[Span("kill", "a", 10.0, 15.0)])
    found = {each.sort: each for each in figures(seen, [Outage(30.0, 31.0)], [])}
    assert found["none"].posts_alone_s == 1.0
