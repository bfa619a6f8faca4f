"""One channel that is followed: its ledger, and what has to be done about it."""

from dataclasses import dataclass
from enum import Enum

from rostrum.backoff import Backoff
from rostrum.cursor import Cursor
from rostrum.ledger import Ledger

# How often in a row a gateway has to say that a cursor is beyond the end before it is believed: it
# may be behind another one by some seconds.
AHEAD_MAX = 5


class State(Enum):
    """What is to be done: DUE: watch it, from `due_s` on. WATCHED: nothing. TORN: fetch what is
    missing. ASTRAY: its cursor is not of this log, begin anew."""

    DUE = "due"
    WATCHED = "watched"
    TORN = "torn"
    ASTRAY = "astray"


# Those that are to be repaired.
BROKEN = (State.TORN, State.ASTRAY)


@dataclass
class Followed:
    """A channel. `due_s` is of the loop's clock; `failures` counts in a row."""

    channel: str
    ledger: Ledger
    state: State = State.DUE
    due_s: float = 0.0
    failures: int = 0
    ahead: int = 0

    @classmethod
    def at(cls, channel: str, place: Cursor | None) -> "Followed":
        """Begin from `place`; None: from where the channel is when it is watched."""
        return cls(channel, Ledger(channel, place))

    @property
    def cursor(self) -> str | None:
        """Where to watch it from."""
        return None if self.ledger.place is None else str(self.ledger.place)

    def moved(self) -> None:
        """It goes on."""
        self.failures = self.ahead = 0

    def watch_at_once(self) -> None:
        """Watch it from where it is."""
        self.state, self.due_s = State.DUE, 0.0

    def watch_later(self, now_s: float, again: Backoff, told_s: float | None = None) -> None:
        """Watch it again when it had its time."""
        self.state = State.DUE
        self.due_s = now_s + again.wait_s(self.failures, told_s)
        self.failures += 1

    def is_ahead(self, now_s: float, again: Backoff, told_s: float | None) -> None:
        """A gateway does not know the cursor yet, or it is of another log."""
        self.ahead += 1
        self.watch_later(now_s, again, told_s)
        if self.ahead >= AHEAD_MAX and self.ledger.place is not None:
            self.state = State.ASTRAY
