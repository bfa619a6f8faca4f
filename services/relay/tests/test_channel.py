"""Whatever comes in which order, a ring's entries are those of the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire.entries import Entry
from libs.wire.fold import WINDOW, ChannelFold
from libs.wire.records import Message, encode
from services.relay.channel import ENTRY_BYTES, RING_ENTRIES, News, Ring, start_of
from services.relay.tests.instance import FAR, NEWS, home

AT_MS = 1_795_248_000_000


def _raw(client_id: str) -> bytes:
    return encode(Message(channel=NEWS, author="a", client_id=client_id, text="t"))


def _log(count: int) -> list[bytes]:
    return [_raw(f"c{n - _repeats(n)}") for n in range(count)]


def _repeats(number: int) -> int:
    # Every seventh repeats the one before or one from afar, so verdicts matter, and looking back.
    if number % 7 != 6:
        return 0
    return FAR if number > FAR and number % 2 else 1


def _fold(raws: list[bytes]) -> list[Entry]:
    fold = ChannelFold(NEWS, 1)
    return [fold.push(raw, AT_MS) for raw in raws]


def _ring(start: int = 1, lowest: int = 1) -> Ring:
    return Ring(home(), start=start, lowest=lowest)


LOG = _log(40)
ids = st.integers(1, len(LOG))
# A signal with its record, one without, or a read of everything up to an id.
events = st.lists(st.tuples(st.sampled_from(["signal", "large", "heal"]), ids), max_size=80)


@given(events)
def test_any_order_loss_and_repetition_gives_the_log(made: list[tuple[str, int]]) -> None:
    ring = _ring()
    for what, ident in made:
        head = ring.head
        if what == "heal":
            for each in range(head + 1, ident + 1):
                assert ring.offer(each, LOG[each - 1], AT_MS) is News.NEWS
            continue
        news = ring.offer(ident, LOG[ident - 1] if what == "signal" else None, AT_MS)
        is_next = ident == head + 1 and what == "signal"
        assert news is (News.OLD if ident <= head else News.NEWS if is_next else News.GAP)
        assert ring.head == (ident if news is News.NEWS else head)
    assert list(ring.after(0, 1_000)) == _fold(LOG)[: ring.head]


@given(st.integers(0, 50), st.integers(1, 50))
def test_pages_of_a_ring_follow_each_other(after: int, limit: int) -> None:
    ring = _ring()
    for ident, raw in enumerate(LOG, start=1):
        ring.offer(ident, raw, AT_MS)
    assert list(ring.after(after, limit)) == _fold(LOG)[after : after + limit]


@pytest.mark.law("L2")
def test_a_ring_that_begins_in_the_middle_decides_as_the_whole_log() -> None:
    raws = _log(2_000)
    start = start_of(home(), lowest=1, first=len(raws) - RING_ENTRIES + 1)
    ring = _ring(start=start)
    for ident in range(start, len(raws) + 1):
        ring.offer(ident, raws[ident - 1], AT_MS)
    assert (ring.first, ring.head) == (len(raws) - RING_ENTRIES + 1, len(raws))
    assert list(ring.after(ring.first - 1, 1_000)) == _fold(raws)[-RING_ENTRIES:]


def test_what_cannot_be_decided_yet_is_not_served() -> None:
    ring = _ring(start=101)
    for ident in range(101, 101 + WINDOW + 1):
        ring.offer(ident, _raw(str(ident)), AT_MS)
    assert [entry.id for entry in ring.after(0, 10)] == [101 + WINDOW]


def test_the_newest_are_within_both_bounds_and_end_at_the_head() -> None:
    ring = _ring()
    for ident, raw in enumerate(LOG, start=1):
        ring.offer(ident, raw, AT_MS)
    size = ENTRY_BYTES + len(LOG[0]) + 4
    assert [e.id for e in ring.newest(-1, entries=3, bytes_max=1 << 20)] == [38, 39, 40]
    assert [e.id for e in ring.newest(39, entries=3, bytes_max=1 << 20)] == [40]
    assert [e.id for e in ring.newest(-1, entries=9, bytes_max=2 * size)] == [39, 40]
    assert list(ring.newest(40, entries=3, bytes_max=1 << 20)) == []


def test_shrinking_keeps_the_newest_and_the_count_of_bytes() -> None:
    ring = _ring()
    for ident, raw in enumerate(LOG, start=1):
        ring.offer(ident, raw, AT_MS)
    ring.shrink(0)
    assert (ring.first, ring.head, ring.bytes) == (41, 40, 0)


def test_reading_never_begins_below_what_the_channel_has() -> None:
    place = home(base_id=1_000)
    assert start_of(place, lowest=1_000, first=1_100) == 1_000
    assert start_of(place, lowest=1_500, first=1_100) == 1_500
    assert start_of(place, lowest=1_000, first=2_000) == 2_000 - WINDOW
