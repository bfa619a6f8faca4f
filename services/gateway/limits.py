"""How much one client, person or address may ask of this gateway.

Local and approximate, so that nobody has to be asked: each gateway counts for itself, and forgets
the oldest when there are too many to remember.
"""

from math import ceil
from typing import Literal, get_args

from libs.runtime.clock import Clock
from libs.wire.codes import TryAgain

from .metrics import ADMITTED, LIMITS_HIT
from .rates import DIGITS, Meter, Rate
from .seats import SEAT_AGAIN_S, Seat, Seats
from .settings import Settings

# Polls whose clients gave up are booked as well, and nobody's debt is to grow without end. All the
# connections that a user has are answered within this at the slowest rate.
POLL_HELD_S_MAX = 20.0
# Nobody who wants to connect is sent away for longer; more than fit into it come back in turns.
CONNECT_AGAIN_S_MAX = 60.0
# The whole gateway has one rate of connects.
ALL = "all"

Way = Literal["websocket", "events"]
# Bound once: a look-up of labels costs more than to count.
_ADMITTED = {way: ADMITTED.labels(way) for way in get_args(Way)}


class Limits:
    """Each method either books what is asked for or raises `TryAgain` (`limit_hit`, 429) with the
    seconds after which it may be asked again. What is refused is not counted."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        most = settings.limits_memory
        self._pages = Meter(most)
        self._page = Rate(settings.pages_per_s, settings.pages_burst)
        self._polls = Meter(most)
        self._poll = Rate(settings.polls_per_s, settings.polls_burst)
        self._poll_large = Rate(settings.polls_large_per_s, settings.polls_burst)
        self._persons = Meter(most)
        self._person = Rate(settings.posts_per_s, settings.posts_burst)
        self._members = Meter(most)
        self._member = Rate(settings.posts_member_per_s, settings.posts_member_burst)
        self._connects = Meter(1)
        self._connect = Rate(settings.connects_per_s, settings.connects_burst)
        self._turn_s = 0.0
        self._watches_max = settings.watches_max
        self._seats = Seats(
            most_user=settings.connections_user_max, most_address=settings.connections_address_max
        )

    def page(self, session: str, channel: str) -> None:
        """A client asks for a page of a channel."""
        key, now_s = (session, channel), self._clock.monotonic()
        wait_s = self._pages.wait_s(key, self._page, now_s)
        if wait_s:
            raise _hit("pages", f"pages of a channel: {_said(self._page)}", wait_s)
        self._pages.book(key, self._page, now_s)

    def poll(self, session: str, channel: str, *, is_large: bool) -> float:
        """A client polls a channel. Returns the seconds until it may be answered, 0.0 for now:
        it is held, never refused. `is_large`: the channel has over 1,000 waiters here."""
        key, now_s = (session, channel), self._clock.monotonic()
        rate = self._poll_large if is_large else self._poll
        wait_s = self._polls.wait_s(key, rate, now_s)
        if wait_s < POLL_HELD_S_MAX:
            self._polls.book(key, rate, now_s)
        if wait_s:
            LIMITS_HIT.labels("polls").inc()
        return min(wait_s, POLL_HELD_S_MAX)

    def needs_role(self, user: str, channel: str) -> bool:
        """Whether the role decides about a post now: it is more than a member may, and not more
        than anybody may."""
        now_s = self._clock.monotonic()
        if self._persons.wait_s(user, self._person, now_s):
            return False
        return self._members.wait_s((user, channel), self._member, now_s) > 0

    def post(self, user: str, channel: str, *, is_ruler: bool) -> None:
        """A person posts to a channel, as its owner or an admin (`is_ruler`) or as anybody."""
        key, now_s = (user, channel), self._clock.monotonic()
        wait_s = self._persons.wait_s(user, self._person, now_s)
        if wait_s:
            raise _hit("posts", f"posts of a person: {_said(self._person)}", wait_s)
        if not is_ruler:
            wait_s = self._members.wait_s(key, self._member, now_s)
            if wait_s:
                fault = f"posts of a member to a channel: {_said(self._member)}"
                raise _hit("posts_member", fault, wait_s)
            self._members.book(key, self._member, now_s)
        self._persons.book(user, self._person, now_s)

    def watch(self, watched: int) -> None:
        """A connection that watches so many channels watches one more."""
        if watched >= self._watches_max:
            fault = f"watches of a connection: at most {self._watches_max}; unwatch one first"
            raise _hit("watches", fault, SEAT_AGAIN_S)

    def admit(self, way: Way) -> None:
        """Somebody connects for a stream, this way. Those who are sent away get turns, one after
        the other at the rate of the gateway, so that they come back spread."""
        now_s = self._clock.monotonic()
        wait_s = self._connects.wait_s(ALL, self._connect, now_s)
        if not wait_s:
            self._connects.book(ALL, self._connect, now_s)
            _ADMITTED[way].inc()
            return
        turn_s = max(self._turn_s, now_s) + 1 / self._connect.per_s
        if turn_s > now_s + CONNECT_AGAIN_S_MAX:
            turn_s = now_s + wait_s
        self._turn_s = turn_s
        raise _hit(
            "connects", "too many connect at this moment; wait for your turn", turn_s - now_s
        )

    def tick(self) -> None:
        """Once a second: who is owed nothing any more is forgotten, a part at a time."""
        now_s = self._clock.monotonic()
        for meter in (self._pages, self._polls, self._persons, self._members):
            meter.sweep(now_s)

    def connect(self, address: str) -> Seat:
        """A connection from an address; its seat is told the user and left at the end."""
        return self._seats.seat(address)


def _said(rate: Rate) -> str:
    return f"{rate.burst} at once, then {rate.per_s:g} a second; wait, and send the same again"


def _hit(limit: str, detail: str, wait_s: float) -> TryAgain:
    LIMITS_HIT.labels(limit).inc()
    # In whole seconds, as the header has them, and never too early.
    return TryAgain("limit_hit", detail, retry_after_s=ceil(round(wait_s, DIGITS)))
