"""Waking a room: at once when it is small, spread over 200 ms when it is large, in slices.

Pollers leave with what they are told; followers stay where they are. While very many are woken all
that can wait does: the places of those who were told are given away, and who polls again is let in,
a few in each turn of the loop, when nobody is kept waiting by that.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from libs.runtime.logging import logger

from .hub import Hub, Room, Said, Waiter
from .metrics import SLICE_TIME, WAKE_TIME

SMALL_ROOM = 1_000
SLOTS = 20
SLOT_S = 0.010
# Over so long large rooms are woken, unless a setting says otherwise.
SPREAD_MS = round(SLOTS * SLOT_S * 1000)
# A write costs some 10 us of a core, and to let somebody in about as much again: so many take some
# 3 ms. A request that is forwarded needs some ten turns of the loop.
SLICE = 250
LET_IN = 150
# So many slots, which are 10 ms each, are under way only if there is no time for them.
BEHIND = 3

_log = logger("gateway.wake")

Straggle = Callable[[Room, Waiter], None]
Late = Callable[[], None]


class Timers(Protocol):
    """What the waker needs of an event loop."""

    def call_soon(self, callback: Callable[..., object], *args: object) -> object: ...

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object
    ) -> object: ...


class _Wake:
    """A large room that is being woken: what its head was in the beginning, and how many of its
    slots are not done."""

    __slots__ = ("began_s", "ends", "left", "room")

    def __init__(self, room: Room, slots: int, now_s: float) -> None:
        self.room = room
        self.began_s = now_s
        self.ends = room.head
        self.left = slots


class Waker:
    """Tells the waiters of a room what came. Those whose answer lies behind the ring go to
    `straggle`, and so does everybody while `doubts` says that access has to be asked first. Large
    rooms are woken over `spread_ms`; 0 is at once. `now_s` is monotonic."""

    def __init__(
        self,
        hub: Hub,
        timers: Timers,
        straggle: Straggle,
        *,
        now_s: Callable[[], float] = float,
        doubts: Callable[[], bool] = bool,
        spread_ms: int = SPREAD_MS,
    ) -> None:
        self._hub = hub
        self._timers = timers
        self._straggle = straggle
        self._now_s = now_s
        self._doubts = doubts
        self._slots = round(spread_ms / 1000 / SLOT_S)
        # Slots whose time has come, each with those who are still to be told.
        self._due: deque[tuple[_Wake, Sequence[Waiter]]] = deque()
        # Rooms with some who were told and have their places yet.
        self._left: dict[Room, None] = {}
        # Who polls again. Bounded by connections: each has one poll.
        self._late: deque[Late] = deque()
        self._is_set = False

    def astray(self, room: Room, waiter: Waiter) -> None:
        """Take a waiter out of `room`; where it belongs is found out anew."""
        self._hub.leave(waiter)
        self._straggle(room, waiter)

    def wake(self, room: Room) -> None:
        """Something came. Entries that come during a wake ride along with those still unwoken."""
        waiters = [] if room.waking else room.waiting()
        if not waiters:
            return
        began_s = self._now_s()
        if len(waiters) <= SMALL_ROOM:
            self._tell(room, waiters)
            WAKE_TIME.observe(self._now_s() - began_s)
            return
        room.waking = True
        wake = _Wake(room, max(self._slots, 1), began_s)
        for slot in range(wake.left):
            those = waiters[slot :: wake.left]
            self._timers.call_later(slot * SLOT_S, self._begin, wake, those)

    @property
    def is_busy(self) -> bool:
        """Very many are being told something, or let in after that."""
        return bool(self._due or self._late)

    @property
    def is_behind(self) -> bool:
        """There is more to tell than there is time for."""
        return len(self._due) >= BEHIND

    def afterwards(self, late: Late) -> None:
        """Let somebody in who was told already: when all are told, and in its turn. `late` does
        not raise."""
        self._late.append(late)
        self._work_soon()

    def _begin(self, wake: _Wake, waiters: Sequence[Waiter]) -> None:
        self._due.append((wake, waiters))
        self._work_soon()

    def _work_soon(self) -> None:
        if not self._is_set and (self._due or self._left or self._late):
            self._is_set = True
            self._timers.call_soon(self._work)

    def _work(self) -> None:
        """One slice of all that is to be done. Nobody is let in while others wait to be told."""
        self._is_set = False
        began_s = self._now_s()
        if self._due:
            wake, waiters = self._due.popleft()
            self._write(wake, waiters)
        else:
            self._clear()
            self._let_in()
        SLICE_TIME.observe(self._now_s() - began_s)
        self._work_soon()

    def _write(self, wake: _Wake, waiters: Sequence[Waiter]) -> None:
        room = wake.room
        self._tell(room, waiters[:SLICE])
        if room.leaving:
            self._left[room] = None
        if len(waiters) > SLICE:
            # Behind the others, so that a room of very many does not keep another one waiting.
            self._due.append((wake, waiters[SLICE:]))
            return
        wake.left -= 1
        if wake.left == 0:
            WAKE_TIME.observe(self._now_s() - wake.began_s)
            room.waking = False
            if room.head > wake.ends:
                self.wake(room)

    def _clear(self) -> None:
        room = next(iter(self._left), None)
        if room is not None:
            self._hub.clear(room, LET_IN)
            if not room.leaving:
                del self._left[room]

    def _let_in(self) -> None:
        for _ in range(min(len(self._late), LET_IN)):
            self._late.popleft()()

    def _tell(self, room: Room, waiters: Sequence[Waiter]) -> None:
        # Nothing else happens meanwhile: what is asked here holds for the slice.
        head, doubts = room.head, self._doubts()
        is_small = len(room.waiters) <= SMALL_ROOM
        form, after, said = None, -1, None
        for waiter in waiters:
            if waiter.room is not room or waiter.after >= head:
                continue
            if waiter.after != after or waiter.form is not form:
                form, after = waiter.form, waiter.after
                said = None if doubts else room.said(form, after)
            try:
                self._answer(room, waiter, said, is_small=is_small)
            except Exception:
                # That listener is told no more, and all others are.
                _log.exception("a listener could not be told")
                self._hub.leave(waiter)

    def _answer(self, room: Room, waiter: Waiter, said: Said | None, *, is_small: bool) -> None:
        if said is None:
            self.astray(room, waiter)
        elif waiter.stays:
            self._follow(room, waiter, said)
        elif is_small:
            self._hub.leave(waiter)
            room.pass_on(waiter, said)
        else:
            room.wake(waiter, said)

    @staticmethod
    def _follow(room: Room, waiter: Waiter, said: Said | None) -> None:
        """Tell a follower all there is, as long as it stays."""
        while said is not None:
            waiter.seated(room)
            room.pass_on(waiter, said)
            is_there = waiter.room is room and waiter.after < room.head
            said = room.said(waiter.form, waiter.after) if is_there else None
