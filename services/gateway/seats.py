"""Connections that are open, by address and by user."""

from collections import Counter

from libs.wire.codes import TryAgain

from .metrics import LIMITS_HIT

# A connection ends when somebody closes it, and nobody knows when: often enough for a person who
# waits, seldom enough for us.
SEAT_AGAIN_S = 10


class Seats:
    """Counts connections, at most `most_user` of a user and `most_address` of an address; 0 is no
    limit. Who has none is not remembered."""

    def __init__(self, *, most_user: int, most_address: int) -> None:
        self._most_user = most_user
        self._most_address = most_address
        self.users: Counter[str] = Counter()
        self.addresses: Counter[str] = Counter()

    def seat(self, address: str) -> "Seat":
        """A seat for a connection, to be left when that ends. Raises `TryAgain` (429)."""
        if 0 < self._most_address <= self.addresses[address]:
            raise _full("connections_address", f"your address has {self._most_address} connections")
        self.addresses[address] += 1
        return Seat(self, address)

    def add_user(self, user: str) -> None:
        """A user's connection more. Raises `TryAgain` (429)."""
        if 0 < self._most_user <= self.users[user]:
            raise _full("connections_user", f"you have {self._most_user} connections open")
        self.users[user] += 1


class Seat:
    """A connection's place: counted for its address at once, for its user when that is known."""

    __slots__ = ("_address", "_is_left", "_seats", "_user")

    def __init__(self, seats: Seats, address: str) -> None:
        self._seats = seats
        self._address = address
        self._user: str | None = None
        self._is_left = False

    def take(self, user: str) -> None:
        """The connection is this user's; again for the same is nothing. Raises `TryAgain` (429);
        the seat is still to be left then."""
        if self._is_left or user == self._user:
            return
        self._seats.add_user(user)
        if self._user is not None:
            _less(self._seats.users, self._user)
        self._user = user

    def leave(self) -> None:
        """The connection ended; again is nothing."""
        if self._is_left:
            return
        self._is_left = True
        _less(self._seats.addresses, self._address)
        if self._user is not None:
            _less(self._seats.users, self._user)


def _less(counts: Counter[str], key: str) -> None:
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]


def _full(limit: str, fault: str) -> TryAgain:
    LIMITS_HIT.labels(limit).inc()
    return TryAgain(
        "limit_hit", f"{fault}; close one, or try again later", retry_after_s=SEAT_AGAIN_S
    )
