import json

import pytest

from libs.wire.cursor import Cursor
from services.gateway.hub import SAID_MAX, Ahead, Fetch, Park, Room, decide
from services.gateway.ring import ENTRIES_KEPT
from services.gateway.tests.listeners import CHANNEL, Listener, entries, hub, parked, room


@pytest.mark.law("L8")
def test_all_at_one_cursor_are_told_the_same_bytes_until_the_next_entry() -> None:
    there = room(head=50, kept=20)
    said = there.said(45)
    assert said is not None
    assert there.said(45) is said
    there.take(entries(51, 51))
    again = there.said(45)
    assert again is not None
    assert [each["id"] for each in json.loads(again)["entries"]] == [46, 47, 48, 49, 50, 51]


def test_a_room_says_nothing_from_behind_its_ring() -> None:
    there = room(head=50, kept=20)
    assert there.said(30) is not None
    assert there.said(29) is None


def test_a_room_remembers_only_so_many_answers() -> None:
    there = room(head=100, kept=100)
    first = there.said(0)
    for after in range(1, SAID_MAX + 1):
        there.said(after)
    assert there.said(0) == first
    assert there.said(0) is not first


def test_entries_are_taken_in_order_and_once() -> None:
    there = room(head=10)
    assert there.take(entries(11, 12))
    assert there.take(entries(10, 13))
    assert there.head == 13
    assert not there.take(entries(15, 16))
    assert there.head == 13
    there.restart(entries(15, 16), 16)
    assert (there.head, there.ring.first) == (16, 15)


@pytest.mark.parametrize(
    ("cursor", "field"),
    [
        (Cursor(2, 1_500), "reset"),
        (Cursor(2, 9_999), "reset"),
        (Cursor(1, 999), "jump"),
        (Cursor(1, 300), "jump"),
    ],
)
def test_a_cursor_that_leads_nowhere_gets_the_special_answer(cursor: Cursor, field: str) -> None:
    body = decide(room(head=2_000, kept=256, first=500), cursor)
    assert isinstance(body, bytes)
    assert json.loads(body)[field]["head"] == 2_000


def test_a_cursor_below_what_is_kept_jumps_even_when_it_is_near() -> None:
    there = room(head=2_000, kept=10, first=1_900)
    body = decide(there, Cursor(1, 1_898))
    assert isinstance(body, bytes)
    assert json.loads(body)["jump"] == {"unread": 102, "head": 2_000, "first": 1_900}
    assert decide(there, Cursor(1, 1_899)) is Fetch


def test_what_a_poll_gets_depends_on_its_cursor() -> None:
    there = room(head=2_000, kept=256)
    none = decide(there, None)
    assert isinstance(none, bytes)
    assert json.loads(none)["cursor"] == "1-2000"
    assert json.loads(none)["entries"] == []
    assert decide(there, Cursor(1, 2_000)) is Park
    assert decide(there, Cursor(1, 2_001)) is Ahead
    assert decide(there, Cursor(1, 1_000)) is Fetch
    assert decide(there, Cursor(1, 1_743)) is Fetch
    near = decide(there, Cursor(1, 1_744))
    assert isinstance(near, bytes)
    told = json.loads(near)
    assert [told["entries"][0]["id"], told["entries"][-1]["id"]] == [1_745, 1_844]
    assert (told["cursor"], told["more"]) == ("1-1844", True)


def test_an_expired_waiter_gets_its_own_cursor_back() -> None:
    there = room(head=5, kept=5)
    full = hub(there)
    (early,), (late,) = parked(full, there, until_s=3.0), parked(full, there, until_s=9.0)
    assert full.expire(2.9) == 0
    assert full.expire(4.0) == 1
    assert (early.told["cursor"], early.told["entries"], early.told["more"]) == ("1-5", [], False)
    assert not late.bodies
    assert full.parked == 1


def test_a_waiter_that_expires_behind_the_ring_keeps_its_cursor_and_learns_of_more() -> None:
    there = room(head=5, kept=5)
    full = hub(there)
    (waiter,) = parked(full, there, until_s=3.0)
    there.restart(entries(500, 600), 600)
    full.expire(4.0)
    assert (waiter.told["cursor"], waiter.told["entries"], waiter.told["more"]) == ("1-5", [], True)


def test_leaving_twice_or_after_the_answer_is_harmless() -> None:
    there = room(head=5)
    full = hub(there)
    (waiter,) = parked(full, there)
    full.leave(waiter)
    full.leave(waiter)
    assert full.expire(1_000.0) == 0
    assert (full.parked, waiter.peers, waiter.bodies) == (0, [], [])


def test_a_room_without_waiters_lingers_and_goes() -> None:
    there = room()
    full = hub(there)
    assert full.idle(100.0, 60.0) == []
    assert full.idle(159.0, 60.0) == []
    (waiter,) = parked(full, there)
    assert full.idle(161.0, 60.0) == []
    full.leave(waiter)
    assert full.idle(200.0, 60.0) == []
    assert full.idle(260.0, 60.0) == [there]
    assert CHANNEL not in full.rooms


def test_trimming_takes_the_least_used_rings_first_and_leaves_waiters_sixteen_entries() -> None:
    busy, used, unused = (room(head=100, kept=100, channel=name) for name in ("busy", "b", "a"))
    size = busy.ring.bytes
    full = hub(busy, unused, used, ring_bytes=size)
    parked(full, busy)
    full.room("b")
    held = full.trim()
    assert len(busy.ring.after(100 - ENTRIES_KEPT, 100)) == ENTRIES_KEPT
    assert [len(each.ring.after(each.ring.first - 1, 256)) for each in (busy, unused, used)] == [
        ENTRIES_KEPT,
        0,
        0,
    ]
    assert held == busy.ring.bytes <= size
    assert used.said(100) is not None


def test_trimming_stops_at_the_budget() -> None:
    old, new = room(head=100, kept=100, channel="a"), room(head=100, kept=100, channel="b")
    full = hub(old, new, ring_bytes=new.ring.bytes)
    assert full.trim() == new.ring.bytes
    assert old.ring.bytes == 0
    full = hub(old, new)
    assert full.trim() == new.ring.bytes


def test_draining_answers_everybody_with_their_own_cursor() -> None:
    rooms: list[Room] = [room(head=5, channel="a"), room(head=7, channel="b")]
    full = hub(*rooms)
    waiters: list[Listener] = [each for there in rooms for each in parked(full, there, 3)]
    assert full.drain(1_000) == 6
    assert [each.told["cursor"] for each in waiters] == ["1-5"] * 3 + ["1-7"] * 3
    assert {each.told["drain"]["reconnect_after_ms"] for each in waiters} == {1_000}
    assert full.parked == 0
    assert full.drain(1_000) == 0
