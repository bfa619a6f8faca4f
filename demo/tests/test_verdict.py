"""Every way in which a delivery can be wrong is told by its id."""

from collections import Counter

from demo.verdict import NAMED_MAX, Got, judged, named

WS, POLL = "websocket", "poll"


def got(*ids: int, way: str = WS, trouble: str = "") -> Got:
    return Got(way, ids, [10 * at for at in range(1, len(ids) + 1)], 0.003, trouble)


def test_everything_once_and_in_order_is_good() -> None:
    verdict = judged([1, 2, 4], [got(1, 2, 4), got(1, 2, 4, way=POLL)])
    assert verdict.is_good
    assert (verdict.expected, verdict.delivered) == (6, 6)


def test_what_is_lost_is_named_with_how_many_lack_it() -> None:
    verdict = judged([1, 2, 3], [got(1, 3), got(1), got(1, 2, 3)])
    assert verdict.lost == Counter({2: 2, 3: 1})
    assert verdict.delivered == 6
    assert not verdict.is_good
    assert named(verdict.lost) == "2 (2 followers), 3 (1 followers)"


def test_what_is_repeated_is_neither_lost_nor_out_of_order() -> None:
    verdict = judged([1, 2], [got(1, 2, 1)])
    assert (verdict.repeated, verdict.out_of_order, verdict.lost) == ({1: 1}, {}, {})
    assert not verdict.is_good


def test_what_comes_after_a_later_one_is_out_of_order() -> None:
    verdict = judged([1, 2, 3], [got(1, 3, 2)])
    assert (verdict.out_of_order, verdict.lost) == ({2: 1}, {})
    assert not verdict.is_good


def test_what_nobody_posted_is_told() -> None:
    verdict = judged([1], [got(1, 7)])
    assert verdict.unposted == {7: 1}
    assert not verdict.is_good


def test_a_follower_in_trouble_is_no_good_end() -> None:
    assert not judged([1], [got(1, trouble="it died")]).is_good


def test_percentiles_are_of_what_was_measured() -> None:
    verdict = judged(range(1, 101), [got(*range(1, 101))])
    assert [verdict.late(WS, share) for share in (0.0, 0.5, 0.99, 1.0)] == [10, 500, 990, 1_000]
    assert verdict.late(POLL, 0.5) is None
    assert round(verdict.cpu_us(WS)) == 30


def test_a_long_list_is_cut() -> None:
    assert named(Counter(range(NAMED_MAX + 3))).endswith("and 3 more")
