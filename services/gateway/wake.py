"""Waking a room: at once when it is small, spread over 200 ms when it is large, in slices.

Pollers leave with what they are told; followers stay where they are. While many are woken, what
can wait does: the places of those who left are given away at the end, and who polls on is let in
then.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from .hub import Hub, Room, Said, Waiter

SMALL_ROOM = 1_000
SLOTS = 20
SLOT_S = 0.010
# Over so long large rooms are woken, unless a setting says otherwise.
SPREAD_MS = round(SLOTS * SLOT_S * 1000)
# A write costs some 8 us of a core: so many take about 16 ms, then other requests get a turn.
SLICE = 2_000
# To let somebody in costs as much again.
LATE_SLICE = 1_000

Straggle = Callable[[Room, Waiter], None]
Late = Callable[[], None]


class Timers(Protocol):
    """What the waker needs of an event loop."""

    def call_soon(self, callback: Callable[..., object], *args: object) -> object: ...

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object
    ) -> object: ...


class Waker:
    """Tells the waiters of a room what came. Those whose answer lies behind the ring go to
    `straggle`, and so does everybody while `doubts` says that access has to be asked first. Large
    rooms are woken over `spread_ms`; 0 is at once."""

    def __init__(
        self,
        hub: Hub,
        timers: Timers,
        straggle: Straggle,
        *,
        doubts: Callable[[], bool] = bool,
        spread_ms: int = SPREAD_MS,
    ) -> None:
        self._hub = hub
        self._timers = timers
        self._straggle = straggle
        self._doubts = doubts
        self._slots = round(spread_ms / 1000 / SLOT_S)
        # Bounded by connections: each has one poll.
        self._late: dict[Room, list[Late]] = {}

    def astray(self, room: Room, waiter: Waiter) -> None:
        """Take a waiter out of `room`; where it belongs is found out anew."""
        self._hub.leave(waiter)
        self._straggle(room, waiter)

    def wake(self, room: Room) -> None:
        """Something came. Entries that come during a wake ride along with those still unwoken."""
        if room.waking or not room.waiters:
            return
        room.waking = True
        waiters = list(room.waiters)
        slots = self._slots
        if len(waiters) <= SMALL_ROOM or slots <= 1:
            self._write(room, waiters, room.head)
            return
        for slot in range(slots):
            ends = room.head if slot == slots - 1 else None
            self._timers.call_later(slot * SLOT_S, self._write, room, waiters[slot::slots], ends)

    def afterwards(self, room: Room, late: Late) -> None:
        """Call `late` when all whom the room is waking are told."""
        self._late.setdefault(room, []).append(late)

    def _write(self, room: Room, waiters: Sequence[Waiter], ends: int | None) -> None:
        """Answer `waiters`; `ends` (the head when the wake began) marks its last batch."""
        # Nothing else happens meanwhile: what is asked here holds for the slice.
        head, doubts = room.head, self._doubts()
        form, after, said = None, -1, None
        for waiter in waiters[:SLICE]:
            if waiter.room is not room or waiter.after >= head:
                continue
            if waiter.after != after or waiter.form is not form:
                form, after = waiter.form, waiter.after
                said = None if doubts else room.said(form, after)
            if said is None:
                self.astray(room, waiter)
            elif waiter.stays:
                self._follow(room, waiter, said)
            else:
                room.wake(waiter, said)
        if len(waiters) > SLICE:
            self._timers.call_soon(self._write, room, waiters[SLICE:], ends)
        elif ends is not None:
            self._over(room, ends)
        elif not room.waking:
            # The rest of a slot before the last one.
            self._hub.clear(room)

    def _over(self, room: Room, ends: int) -> None:
        self._hub.clear(room)
        room.waking = False
        late = self._late.pop(room, None)
        if late is not None:
            self._timers.call_soon(self._let_in, late)
        if room.head > ends:
            self.wake(room)

    def _let_in(self, late: Sequence[Late]) -> None:
        for each in late[:LATE_SLICE]:
            each()
        if len(late) > LATE_SLICE:
            self._timers.call_soon(self._let_in, late[LATE_SLICE:])

    @staticmethod
    def _follow(room: Room, waiter: Waiter, said: Said | None) -> None:
        """Tell a follower all there is, as long as it stays."""
        while said is not None:
            waiter.seated(room)
            room.pass_on(waiter, said)
            is_there = waiter.room is room and waiter.after < room.head
            said = room.said(waiter.form, waiter.after) if is_there else None
