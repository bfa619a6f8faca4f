"""Waking on virtual timers: who is told when, and what it costs in timers."""

import heapq
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from services.gateway.hub import Hub, Room, Waiter
from services.gateway.tests.listeners import Listener, entries, hub, parked, room
from services.gateway.wake import LATE_SLICE, SLICE, SLOT_S, SLOTS, SMALL_ROOM, Waker


class HandTimers:
    """Timers that run when the test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.set = 0
        self._order = count()
        self._due: list[tuple[float, int, Callable[..., object], tuple[object, ...]]] = []

    def call_soon(self, callback: Callable[..., object], *args: object) -> object:
        return self.call_later(0.0, callback, *args)

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> object:
        self.set += 1
        heapq.heappush(self._due, (self.now_s + delay, next(self._order), callback, args))
        return None

    def steps(self) -> Iterator[float]:
        """Run one callback at a time; gives the time at which it ran."""
        while self._due:
            self.now_s, _, callback, args = heapq.heappop(self._due)
            callback(*args)
            yield self.now_s

    def run(self) -> None:
        for _ in self.steps():
            pass

    def late(self) -> None:
        """Run all with the loop so late that every timer is due at once."""
        while self._due:
            due, self._due = self._due, []
            self.now_s = max(at_s for at_s, *_ in due)
            for _, _, callback, args in sorted(due, key=lambda one: one[:2]):
                callback(*args)


class Scene:
    """A room at head 10, its hub, and a waker on hand-turned timers."""

    def __init__(self) -> None:
        self.room = room(head=10, kept=10)
        self.hub: Hub = hub(self.room)
        self.timers = HandTimers()
        self.behind: list[tuple[Room, Waiter]] = []
        self.waker = Waker(self.hub, self.timers, lambda *who: self.behind.append(who))

    def say(self, last: int) -> None:
        self.room.take(entries(self.room.head + 1, last))
        self.waker.wake(self.room)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def ids(listener: Listener) -> list[int]:
    return [each["id"] for each in listener.told["entries"]]


def test_a_small_room_is_woken_at_once(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, SMALL_ROOM)
    scene.say(11)
    assert scene.timers.set == 0
    assert all(ids(each) == [11] for each in waiters[:3])
    assert all(len(each.bodies) == 1 for each in waiters)
    assert scene.hub.parked == 0
    assert not scene.room.waking


def test_everybody_is_written_the_same_object(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 50)
    scene.say(11)
    assert len({id(each.bodies[0]) for each in waiters}) == 1


def test_a_large_room_is_spread_over_twenty_slots_within_190_ms(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 5_000)
    scene.say(11)
    times: dict[float, int] = {}
    told = 0
    for now_s in scene.timers.steps():
        now = sum(bool(each.bodies) for each in waiters)
        times[round(now_s, 3)] = now - told
        told = now
    assert list(times) == [round(slot * SLOT_S, 3) for slot in range(SLOTS)]
    assert set(times.values()) == {250}
    assert max(times) == 0.19
    assert told == 5_000


def test_a_wake_costs_timers_by_slot_not_by_waiter(scene: Scene) -> None:
    parked(scene.hub, scene.room, 5_000)
    scene.say(11)
    scene.timers.run()
    assert scene.timers.set == SLOTS


def test_a_slot_is_written_in_slices_so_that_others_get_a_turn(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, SLOTS * SLICE + SLOTS * 10)
    scene.say(11)
    told, most = 0, 0
    for _ in scene.timers.steps():
        now = sum(bool(each.bodies) for each in waiters)
        told, most = now, max(most, now - told)
    assert most == SLICE
    assert told == len(waiters)
    assert scene.timers.set == 2 * SLOTS
    assert not scene.room.waking


def test_entries_that_come_during_a_wake_ride_along(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    steps = scene.timers.steps()
    next(steps)
    scene.say(13)
    scene.timers.run()
    first = [each for each in waiters if ids(each) == [11]]
    rest = [each for each in waiters if ids(each) == [11, 12, 13]]
    assert (len(first), len(rest)) == (100, 1_900)
    assert not scene.room.waking


def test_who_parks_again_during_a_wake_is_woken_by_the_next(scene: Scene) -> None:
    parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    next(scene.timers.steps())
    again = parked(scene.hub, scene.room, 100)
    scene.say(12)
    assert not any(each.bodies for each in again)
    scene.timers.run()
    assert all(ids(each) == [12] for each in again)
    assert scene.hub.parked == 0
    assert not scene.room.waking


def test_who_parks_again_and_is_up_to_date_stays_parked(scene: Scene) -> None:
    parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    next(scene.timers.steps())
    (again,) = parked(scene.hub, scene.room)
    scene.timers.run()
    assert not again.bodies
    assert scene.hub.parked == 1
    scene.say(12)
    assert ids(again) == [12]


def test_who_left_during_a_wake_is_not_told(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    scene.hub.leave(waiters[-1])
    scene.timers.run()
    assert not waiters[-1].bodies
    assert sum(bool(each.bodies) for each in waiters) == 1_999


def test_who_is_behind_the_ring_goes_straggling_instead_of_missing_entries(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 3)
    scene.room.restart(entries(400, 410), 410)
    scene.waker.wake(scene.room)
    assert scene.behind == [(scene.room, each) for each in waiters]
    assert [each.after for each in waiters] == [10, 10, 10]
    assert not any(each.bodies for each in waiters)
    assert scene.hub.parked == 0


def test_an_empty_room_sets_no_timer(scene: Scene) -> None:
    scene.say(11)
    assert scene.timers.set == 0
    assert not scene.room.waking


def test_who_is_told_waits_no_more_and_keeps_its_place_until_all_are(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    steps = scene.timers.steps()
    next(steps)
    assert (scene.hub.parked, len(scene.room.waiters)) == (1_900, 2_000)
    told = [each for each in waiters if each.bodies]
    for each in told:
        # Whatever happens to it now.
        scene.hub.leave(each)
        scene.hub.send_away(each, 1)
    assert len(list(scene.hub.pollers())) == 1_900
    scene.hub.expire(30.0)
    scene.timers.run()
    assert {len(each.bodies) for each in waiters} == {1}
    assert (scene.hub.parked, scene.room.waiters, waiters[0].peers) == (0, [], [])


def test_who_leaves_while_places_are_kept_leaves_them_right(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    next(scene.timers.steps())
    for each in waiters[1_000:]:
        scene.hub.leave(each)
    scene.timers.run()
    assert scene.room.waiters == []
    assert sum(bool(each.bodies) for each in waiters) == 1_050


def test_the_rest_of_a_slot_that_comes_after_the_last_one_keeps_no_place(scene: Scene) -> None:
    """The last slot is a waiter shorter than the others, whose last ones need a slice of their
    own."""
    waiters = parked(scene.hub, scene.room, SLOTS * SLICE + 1)
    scene.say(11)
    scene.timers.late()
    assert all(each.bodies for each in waiters)
    assert (scene.hub.parked, scene.room.waiters) == (0, [])


def test_who_comes_late_is_let_in_when_all_are_told_a_slice_at_a_time(scene: Scene) -> None:
    parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    steps = scene.timers.steps()
    next(steps)
    parked_then: list[int] = []
    for _ in range(LATE_SLICE + 1):
        scene.waker.afterwards(scene.room, lambda: parked_then.append(scene.hub.parked))
    assert parked_then == []
    counts = {len(parked_then) for _ in steps}
    assert counts == {0, LATE_SLICE, LATE_SLICE + 1}
    assert set(parked_then) == {0}
