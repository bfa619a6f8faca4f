"""Waking on virtual timers: who is told when, and what it costs in timers."""

import heapq
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, pairwise
from math import ceil

import pytest

from libs.runtime.metrics import Histogram
from services.gateway.hub import Hub, Room, Waiter
from services.gateway.metrics import SLICE_TIME, WAKE_TIME
from services.gateway.tests.listeners import Listener, entries, hub, parked, room
from services.gateway.wake import LET_IN, SLICE, SLOT_S, SLOTS, SMALL_ROOM, Waker


class HandTimers:
    """Timers that run when the test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.set = 0
        self._order = count()
        self._due: list[tuple[float, int, Callable[..., object], tuple[object, ...]]] = []

    def call_soon(self, callback: Callable[..., object], *args: object) -> object:
        return self._set(0.0, callback, *args)

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> object:
        self.set += 1
        return self._set(delay, callback, *args)

    def _set(self, delay: float, callback: Callable[..., object], *args: object) -> object:
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

    def until(self, check: Callable[[], object]) -> None:
        """Run until this holds."""
        steps = self.steps()
        while not check():
            next(steps)

    def late(self) -> Iterator[None]:
        """Run all with the loop so late that every timer is due at once; one turn at a time."""
        while self._due:
            due, self._due = self._due, []
            self.now_s = max(at_s for at_s, *_ in due)
            for _, _, callback, args in sorted(due, key=lambda one: one[:2]):
                callback(*args)
            yield


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
        at_s = round(now_s, 3)
        times[at_s] = times.get(at_s, 0) + now - told
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
    assert scene.timers.set == SLOTS
    assert not scene.room.waking


def test_entries_that_come_during_a_wake_ride_along(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    scene.timers.until(lambda: waiters[0].bodies)
    scene.say(13)
    scene.timers.run()
    first = [each for each in waiters if ids(each) == [11]]
    rest = [each for each in waiters if ids(each) == [11, 12, 13]]
    assert (len(first), len(rest)) == (100, 1_900)
    assert not scene.room.waking


def test_who_parks_again_during_a_wake_is_woken_by_the_next(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    scene.timers.until(lambda: waiters[0].bodies)
    again = parked(scene.hub, scene.room, 100)
    scene.say(12)
    assert not any(each.bodies for each in again)
    scene.timers.run()
    assert all(ids(each) == [12] for each in again)
    assert scene.hub.parked == 0
    assert not scene.room.waking


def test_who_parks_again_and_is_up_to_date_stays_parked(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    scene.timers.until(lambda: waiters[0].bodies)
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


def test_who_is_told_waits_no_more_and_keeps_its_place_for_a_moment(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    scene.timers.until(lambda: waiters[0].bodies)
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
    assert (scene.hub.parked, scene.room.waiters, waiters[0].peers) == (0, [], None)


def test_who_leaves_while_places_are_kept_leaves_them_right(scene: Scene) -> None:
    waiters = parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    scene.timers.until(lambda: waiters[0].bodies)
    for each in waiters[1_000:]:
        scene.hub.leave(each)
    scene.timers.run()
    assert scene.room.waiters == []
    assert sum(bool(each.bodies) for each in waiters) == 1_050


def test_a_loop_that_is_late_writes_a_slice_at_a_time_all_the_same(scene: Scene) -> None:
    """All slots are due at once."""
    waiters = parked(scene.hub, scene.room, SLOTS * SLICE + 1)
    scene.say(11)
    counts = [0]
    for _ in scene.timers.late():
        counts.append(sum(bool(each.bodies) for each in waiters))
    assert max(now - before for before, now in pairwise(counts)) == SLICE
    assert counts[-1] == len(waiters)
    assert (scene.hub.parked, scene.room.waiters, scene.room.waking) == (0, [], False)


def test_it_is_behind_when_slots_wait_for_others_and_not_otherwise(scene: Scene) -> None:
    parked(scene.hub, scene.room, SLOTS * SLICE)
    scene.say(11)
    on_time = [scene.waker.is_behind for _ in scene.timers.steps()]
    parked(scene.hub, scene.room, SLOTS * SLICE)
    scene.say(12)
    late = [scene.waker.is_behind for _ in scene.timers.late()]
    assert set(on_time) == {False}
    assert (late[0], late[-1]) == (True, False)


def test_a_room_of_very_many_does_not_keep_another_waiting(scene: Scene) -> None:
    other = room(head=10, kept=10, channel="0" * 25 + "2")
    scene.hub.add(other)
    scene.waker = Waker(scene.hub, scene.timers, lambda *_: None, spread_ms=0)
    parked(scene.hub, scene.room, 20 * SMALL_ROOM)
    few = parked(scene.hub, other, 2 * SMALL_ROOM)
    scene.say(11)
    other.take(entries(11, 11))
    scene.waker.wake(other)
    scene.timers.until(lambda: all(each.bodies for each in few))
    assert scene.room.waking


def test_who_polls_again_is_let_in_when_all_are_told_a_few_at_a_time(scene: Scene) -> None:
    """Each turn has a slice, of those who are told or of those who come."""
    scene.waker = Waker(scene.hub, scene.timers, lambda *_: None, spread_ms=0)
    count = 8 * SLICE
    waiters = parked(scene.hub, scene.room, count)
    scene.say(11)
    come: list[int] = []
    busy = [scene.waker.is_busy]
    counts = []
    for _ in scene.timers.steps():
        counts.append((sum(bool(each.bodies) for each in waiters), len(come)))
        if counts[-1][0] == SLICE:
            busy.append(scene.waker.is_busy)
            for number in range(2 * LET_IN + 1):
                scene.waker.afterwards(partial(come.append, number))
    told = [(number, 0) for number in range(0, count + 1, SLICE)]
    let_in = [
        (count, LET_IN),
        (count, 2 * LET_IN),
        *[(count, 2 * LET_IN + 1)] * (ceil(count / LET_IN) - 2),
    ]
    assert counts == [*told, *let_in]
    assert come == list(range(2 * LET_IN + 1))
    assert [*busy, scene.waker.is_busy] == [False, True, False]
    assert (scene.hub.parked, scene.room.waiters) == (0, [])


def test_places_are_given_away_between_the_slots(scene: Scene) -> None:
    """Where there is time."""
    parked(scene.hub, scene.room, 2_000)
    scene.say(11)
    kept = {round(now_s, 3): len(scene.room.waiters) for now_s in scene.timers.steps()}
    assert list(kept.values()) == list(range(1_900, -1, -100))


class Going(Listener):
    """Says when it has left."""

    def __init__(self, user: str, after: int) -> None:
        super().__init__(user, after)
        self.has_left = False

    def left(self) -> None:
        self.has_left = True


@pytest.mark.parametrize("count", [SMALL_ROOM, SMALL_ROOM + 1])
def test_who_was_one_of_very_many_is_told_when_its_place_is_given_away(
    scene: Scene, count: int
) -> None:
    """Others are not: they leave before they are told."""
    waiters = [Going(f"u{number}", scene.room.head) for number in range(count)]
    for each in waiters:
        scene.hub.park(each, scene.room, 25.0, peers=[])
    scene.say(11)
    scene.timers.run()
    assert all(each.bodies for each in waiters)
    assert any(each.has_left for each in waiters) == (count > SMALL_ROOM)


def test_how_long_wakes_and_slices_take_is_measured(scene: Scene) -> None:
    now_s = iter(count(step=0.5)).__next__
    scene.waker = Waker(
        scene.hub, scene.timers, lambda *_: None, now_s=now_s, spread_ms=round(SLOT_S * 1000)
    )
    wakes, slices = sum_s(WAKE_TIME), sum_s(SLICE_TIME)
    parked(scene.hub, scene.room, 3)
    scene.say(11)
    assert sum_s(WAKE_TIME) == wakes + 0.5
    parked(scene.hub, scene.room, SMALL_ROOM + 1)
    scene.say(12)
    scene.timers.run()
    # The clock is looked at when a slice begins and ends, and when the wake does.
    told, cleared = ceil((SMALL_ROOM + 1) / SLICE), ceil((SMALL_ROOM + 1) / LET_IN)
    assert sum_s(SLICE_TIME) == slices + (told + cleared) * 0.5 + 0.5
    assert sum_s(WAKE_TIME) == wakes + 0.5 + told


def sum_s(metric: Histogram) -> float:
    (family,) = metric.collect()
    return sum(each.value for each in family.samples if each.name.endswith("_sum"))


class Faulty(Listener):
    """Cannot be told."""

    def tell(self, body: bytes) -> None:
        raise RuntimeError("its transport is broken")


@pytest.mark.parametrize("count", [10, SMALL_ROOM + 100])
def test_who_cannot_be_told_keeps_nobody_else_waiting(
    scene: Scene, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    faulty = Faulty("eve", scene.room.head)
    waiters = parked(scene.hub, scene.room, count)
    scene.hub.park(faulty, scene.room, 25.0, peers=[])
    waiters += parked(scene.hub, scene.room, count)
    scene.say(11)
    scene.timers.run()
    assert all(each.bodies for each in waiters)
    assert (scene.hub.parked, scene.room.waiters, scene.room.waking) == (0, [], False)
