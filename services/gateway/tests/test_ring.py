import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.answers import Kept
from services.gateway.ring import BYTES_MAX, ENTRIES_MAX, Ring


def filled(count: int, size: int = 10, *, head: int = 0) -> Ring:
    ring = Ring(head)
    for number in range(count):
        ring.append(Kept(b"%0*d" % (size, head + number + 1), b""))
    return ring


def test_an_empty_ring_begins_after_its_head() -> None:
    ring = Ring(41)
    assert (ring.first, ring.head, ring.bytes) == (42, 41, 0)
    assert ring.after(41, 10) == []


def test_the_oldest_entries_go_when_there_are_too_many() -> None:
    ring = filled(ENTRIES_MAX + 5)
    assert ring.first == 6
    assert ring.head == ENTRIES_MAX + 5
    assert len(ring.after(5, 1_000)) == ENTRIES_MAX


def test_the_oldest_entries_go_when_they_are_too_large() -> None:
    ring = filled(9, BYTES_MAX // 4)
    assert ring.bytes == BYTES_MAX
    assert ring.first == 6


def test_an_entry_larger_than_the_ring_is_not_kept_but_counts() -> None:
    ring = filled(3)
    ring.append(Kept(b"x" * BYTES_MAX, b"x"))
    assert (ring.first, ring.head, ring.bytes) == (5, 4, 0)


def test_after_gives_what_follows_in_order_and_at_most_the_limit() -> None:
    ring = filled(10, 1, head=0)
    assert [int(each.json) for each in filled(9).after(3, 4)] == [4, 5, 6, 7]
    assert ring.after(10, 4) == []
    assert len(ring.after(0, 100)) == 10


def test_what_is_behind_the_ring_is_an_error() -> None:
    ring = filled(10, head=90)
    assert len(ring.after(90, 100)) == 10
    with pytest.raises(ValueError, match="behind the ring, which begins at 91"):
        ring.after(89, 100)


def test_shrinking_keeps_the_newest() -> None:
    ring = filled(20)
    ring.shrink(16)
    assert (ring.first, ring.head, ring.bytes) == (5, 20, 160)
    ring.shrink(0)
    assert (ring.first, ring.head, ring.bytes) == (21, 20, 0)


@given(st.lists(st.integers(0, BYTES_MAX // 3), max_size=40), st.integers(0, 20))
def test_bytes_are_those_of_the_entries_held(sizes: list[int], keep: int) -> None:
    ring = Ring(0)
    for size in sizes:
        ring.append(Kept(bytes(size // 3), bytes(size - size // 3)))
    ring.shrink(keep)
    held = ring.after(ring.first - 1, ENTRIES_MAX)
    assert ring.bytes == sum(each.size for each in held) <= BYTES_MAX
    assert [each.size for each in held] == sizes[len(sizes) - len(held) :]
    assert len(held) <= keep
