"""What a way to listen has to do, and how a connection ends."""

from collections.abc import Callable
from typing import ClassVar, Protocol

from rostrum.errors import Problem, Refused, RostrumError, Unreachable, Unreadable, problem
from rostrum.following.lot import Lot
from rostrum.http import Http
from rostrum.wire import Fault, Malformed, OfChannel

# Codes with which a token or ticket is refused.
TOKEN_CODES = frozenset({"token_missing", "token_invalid", "token_expired", "ticket_invalid"})
NO_TOKEN = 401
DRAINING = "draining"
# Somebody in between answered.
NOT_OURS = "not_ours"


# What a question may come to that is worth asking again.
PASSING = (Problem, Unreachable, Unreadable)


class Changed(Exception):
    """Connections have to be made anew: another way is taken, or this one takes fewer channels."""


class Gone(Exception):
    """A connection ended, or could not be made: come again after `after_s` seconds. `is_told`: a
    gateway said so; else it may be the way that something in between does not let through."""

    def __init__(self, why: str, *, after_s: float = 0.0, is_told: bool = False) -> None:
        super().__init__(why)
        self.after_s = after_s
        self.is_told = is_told


class Drained(Gone):
    """The gateway goes away: come again, elsewhere."""

    def __init__(self, after_s: float) -> None:
        super().__init__("the gateway goes away", after_s=after_s, is_told=True)


class TokenRefused(Gone):
    """Come again with another token than `token`; None: it was a ticket, which is forgotten."""

    def __init__(self, why: str, token: str | None) -> None:
        super().__init__(why, is_told=True)
        self.token = token


class Silent(Gone):
    """Nothing came for too long."""


class Way(Protocol):
    """How to listen. One for all connections of a follower that take it."""

    name: ClassVar[str]
    # As many channels as a connection can follow. It may become less when a gateway says so.
    most: int

    async def listen(self, lot: Lot, opened: Callable[[], None]) -> None:
        """Follow what is due in `lot` over one connection: call `opened` once a gateway lets us in,
        and have `lot` hear what comes. Returns when the connection is to be made anew at once, or
        nothing is followed any more. Raises `Changed`, `Gone`, `Refused` and `SignedOut`."""

    async def can_open(self, lot: Lot) -> bool:
        """Whether a connection could be opened now; it is closed again, and nothing is heard."""


def ending(fault: Problem, token: str | None) -> RostrumError | Gone:
    """What to raise for a problem that ends a connection, or that refuses one which came with
    `token` (None: with a ticket)."""
    after_s = told_s(fault)
    if fault.code in TOKEN_CODES or fault.status == NO_TOKEN:
        return TokenRefused(str(fault), token)
    if fault.code == DRAINING:
        return Drained(after_s)
    if fault.code == NOT_OURS:
        return Gone(str(fault), after_s=after_s)
    if isinstance(fault, Refused):
        return fault
    return Gone(str(fault), after_s=after_s, is_told=True)


async def token_of(http: Http) -> str:
    """Who we are. Raises `Gone` when that cannot be had now, and `SignedOut`."""
    try:
        return await http.token()
    except PASSING as fault:
        raise Gone(f"no token: {fault}", after_s=told_s(fault), is_told=True) from fault


def told_s(fault: RostrumError) -> float:
    """How long a gateway asked to wait; 0.0 when none did."""
    return (isinstance(fault, Problem) and fault.retry_after_s) or 0.0


def heard(lot: Lot, frame: OfChannel) -> None:
    """Have `lot` hear it. Raises `Gone` when it cannot be understood."""
    try:
        lot.hear(frame)
    except Malformed as fault:
        raise Gone(str(fault)) from fault


def problem_of_frame(said: Fault) -> Problem:
    """An `error` as a problem."""
    return problem(said.code, said.detail, retry=said.retry, retry_after_s=said.retry_after_s)
