"""What is left to play of a scenario, shared by its gateways, and what clients did against it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from conformance.logs import Logs
from conformance.scenarios import Run, Step

FAULTS_MAX = 20
USER = "01KA3PZ0ANN0000000000000AA"
SESSION = "01KA3Q00SESS1N000000000000"
LASTING_S = 600


class NotSo(AssertionError):
    """A client did something else than the scenario says."""


@dataclass
class Tokens:
    """Of the one session: the newest access token holds, and the newest ticket. `is_over`: the
    session was signed out."""

    expires_in: int
    is_over: bool = False
    access: list[str] = field(default_factory=lambda: ["token-1"])
    tickets: list[str] = field(default_factory=list)

    @property
    def refresh(self) -> str:
        """The refresh token that counts."""
        return f"refresh-{len(self.access)}"

    def refreshed(self) -> dict[str, Any]:
        """The answer to a refresh, with the next access token."""
        self.access.append(f"token-{len(self.access) + 1}")
        return self.signed_in()

    def signed_in(self) -> dict[str, Any]:
        """A session as it is answered."""
        return {
            "access_token": self.access[-1],
            "expires_in": LASTING_S,
            "refresh_token": self.refresh,
            "session_id": SESSION,
            "user": {"id": USER, "handle": "ada", "display_name": "Ada"},
        }

    def ticket(self) -> str:
        """The next ticket."""
        self.tickets.append(f"ticket-{len(self.tickets) + 1}")
        return self.tickets[-1]


class Played(Protocol):
    """A connection that is open. `at` is what is played now; empty when all is honest."""

    way: ClassVar[str]
    at: str


class Script:
    """The plays of a run. `faults` is what clients did wrong, `begun` how many connections were
    made by each way."""

    def __init__(self, run: Run, logs: Logs, tokens: Tokens, pages: Sequence[Step]) -> None:
        self.run = run
        self.logs = logs
        self.tokens = tokens
        self.faults: list[str] = []
        self.pages = list(pages)
        self.open: list[Played] = []
        self._left = {way: list(lines) for way, lines in run.plays.items()}
        self._beginning: list[str] = []
        self._ended_s: float | None = None
        self._last_gateway: str | None = None

    def next(self, way: str) -> tuple[Step, ...] | None:
        """What the next connection of this way does; None: all that is honest."""
        left = self._left.get(way, [])
        if not left:
            return None
        self._beginning.append(way)
        return left.pop(0)

    def begun(self, way: str) -> None:
        """What was taken by `next` is in `open`, or over."""
        if way in self._beginning:
            self._beginning.remove(way)

    @property
    def left(self) -> list[str]:
        """What was not played."""
        lines = [f"{way}: {line}" for way, lines in self._left.items() for line in lines]
        lines += [f"{way} begins" for way in self._beginning]
        lines += [f"{each.way} at {each.at}" for each in self.open if each.at]
        return lines + [f"page: {page}" for page in self.pages]

    def fault(self, what: str) -> None:
        """A client did something wrong."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(what)

    def ended(self) -> None:
        """A connection of the script has ended."""
        self._ended_s = time.monotonic()

    def check_opening(self, step: Mapping[str, Any], gateway: str) -> None:
        """When and where it is opened. Raises `NotSo`."""
        after_ms = step.get("after_ms", 0)
        if self._ended_s is not None and time.monotonic() < self._ended_s + after_ms / 1000:
            raise NotSo(f"came again before {after_ms} ms were over")
        wanted, last = step.get("gateway"), self._last_gateway
        self._last_gateway = gateway
        if wanted == "other" and gateway == last:
            raise NotSo("came again to the same gateway")
        if wanted == "same" and gateway != last:
            raise NotSo("came to another gateway")

    def places(self, step: Mapping[str, Any]) -> dict[str, str | None] | None:
        """The cursors that have to be named, by id."""
        at = step.get("at")
        return None if at is None else {self.logs.ident(name): at[name] for name in at}


def check_places(found: Mapping[str, str | None], wanted: Mapping[str, str | None] | None) -> None:
    """Raises `NotSo`."""
    if wanted is not None and dict(found) != dict(wanted):
        raise NotSo(f"follows from {dict(found)}, not from {dict(wanted)}")
