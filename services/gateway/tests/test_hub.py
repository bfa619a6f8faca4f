import json

import pytest

from libs.wire.cursor import Cursor
from services.gateway.answers import Form, Jump, Reset
from services.gateway.decisions import Ahead, Fetch, Here, Park, decide
from services.gateway.hub import ALIAS_ENTRIES_MAX, SAID_MAX
from services.gateway.ring import ENTRIES_KEPT
from services.gateway.tests.listeners import CHANNEL, Listener, entries, hub, parked, room


@pytest.mark.law("L8")
def test_all_at_one_cursor_are_told_the_same_bytes_until_the_next_entry() -> None:
    there = room(head=50, kept=20)
    said = there.said(Form.POLL, 45)
    assert said is not None
    assert there.said(Form.POLL, 45) is said
    there.take(entries(51, 51))
    again = there.said(Form.POLL, 45)
    assert again is not None
    assert [each["id"] for each in json.loads(again.body)["entries"]] == [46, 47, 48, 49, 50, 51]
    assert again.last == 51


def test_a_room_says_nothing_from_behind_its_ring() -> None:
    there = room(head=50, kept=20)
    assert there.said(Form.POLL, 30) is not None
    assert there.said(Form.POLL, 29) is None


def test_a_room_remembers_only_so_many_answers() -> None:
    there = room(head=100, kept=100)
    first = there.said(Form.POLL, 0)
    for after in range(1, SAID_MAX + 1):
        there.said(Form.POLL, after)
    assert there.said(Form.POLL, 0) == first
    assert there.said(Form.POLL, 0) is not first


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
    ("cursor", "answer"),
    [
        (Cursor(2, 1_500), Reset(2_000, 500)),
        (Cursor(2, 9_999), Reset(2_000, 500)),
        (Cursor(1, 999), Jump(1_001, 2_000, 500)),
        (Cursor(1, 300), Jump(1_700, 2_000, 500)),
    ],
)
def test_a_cursor_that_leads_nowhere_gets_the_special_answer(
    cursor: Cursor, answer: Reset | Jump
) -> None:
    assert decide(room(head=2_000, kept=256, first=500), cursor) == answer


def test_a_cursor_below_what_is_kept_jumps_even_when_it_is_near() -> None:
    there = room(head=2_000, kept=10, first=1_900)
    assert decide(there, Cursor(1, 1_898)) == Jump(102, 2_000, 1_900)
    assert decide(there, Cursor(1, 1_899)) is Fetch


def test_what_a_listener_gets_depends_on_its_cursor() -> None:
    there = room(head=2_000, kept=256)
    assert decide(there, Cursor(1, 2_000)) is Park
    assert decide(there, Cursor(1, 2_001)) is Ahead
    assert decide(there, Cursor(1, 1_000)) is Fetch
    assert decide(there, Cursor(1, 1_743)) is Fetch
    near = decide(there, Cursor(1, 1_744))
    assert near == Here(1_744)
    listener = Listener(after=1_744)
    there.say(listener, Here(1_744))
    told = listener.told
    assert [told["entries"][0]["id"], told["entries"][-1]["id"]] == [1_745, 1_844]
    assert (told["cursor"], told["more"], listener.after) == ("1-1844", True, 1_844)


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
    assert (full.parked, waiter.peers, waiter.bodies) == (0, None, [])


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
    assert used.said(Form.POLL, 100) is not None


def test_trimming_stops_at_the_budget() -> None:
    old, new = room(head=100, kept=100, channel="a"), room(head=100, kept=100, channel="b")
    full = hub(old, new, ring_bytes=new.ring.bytes)
    assert full.trim() == new.ring.bytes
    assert old.ring.bytes == 0
    full = hub(old, new)
    assert full.trim() == new.ring.bytes


def test_who_is_sent_away_keeps_the_cursor() -> None:
    there = room(head=5)
    full = hub(there)
    (waiter,) = parked(full, there)
    full.send_away(waiter, 250)
    assert (waiter.told["cursor"], waiter.told["drain"]) == ("1-5", {"reconnect_after_ms": 250})
    full.send_away(waiter, 250)
    assert (len(waiter.bodies), full.parked) == (1, 0)


def test_an_alias_is_used_again_when_its_room_is_gone() -> None:
    full = hub()
    taken = [full.aliases.take() for _ in range(3)]
    assert taken == [0, 1, 2]
    full.aliases.give_back(1)
    assert [full.aliases.take(), full.aliases.take()] == [1, 3]


def test_an_alias_begins_anew_before_its_ids_take_more_bytes() -> None:
    there = room(head=5)
    there.take(entries(6, 5 + ALIAS_ENTRIES_MAX))
    assert there.writer.base.ident == 5
    there.take(entries(there.head + 1, there.head + 1))
    assert there.writer.base.ident == there.head == 6 + ALIAS_ENTRIES_MAX
