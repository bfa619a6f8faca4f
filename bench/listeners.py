"""The load client as one that listens: parked, woken, ended."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.child import Child, ClientFailed
from bench.ways import Listening, Load

# Of a load: who is cut off, or told to come later, comes again.
RETURNING = ("--returns",)


@dataclass(frozen=True)
class Woken:
    """When a wake came, in ms since `sent_ns`, when what woke them was sent. `parts` is the time
    within which such a part (in percent) of all that were woken had come; `again_ms` is when all
    polled again as the server told, at most `again_late_ms` late; None when nobody asked."""

    sent_ns: int
    woken: int
    first_ms: float
    last_ms: float
    parts: Mapping[float, float]
    faults: Mapping[str, int]
    again_ms: float | None = None
    again_late_ms: float | None = None


@dataclass(frozen=True)
class Delivered:
    """What the deliveries of several messages took, in ms, each from when its message began to be
    sent: `parts` is the time within which such a part (in percent) of all of them had come,
    `p99_ms` is that of 99 % of each message's."""

    deliveries: int
    first_ms: float
    last_ms: float
    parts: Mapping[float, float]
    p99_ms: Sequence[float]


@dataclass(frozen=True)
class Back:
    """All who were cut off came back in `ms`. `curve` is how many listened when, in ms; both since
    the cut. `cut` is how often one was cut off, `refused` how often one was told to come later."""

    ms: float
    cut: int
    refused: int
    curve: Sequence[tuple[float, int]]


class Listeners(Child):
    """Connections that listen: see `Child`."""

    def __init__(self, listening: Listening, load: Load, *, may_fault: bool = False) -> None:
        super().__init__(listening.words(), load, may_fault=may_fault)
        self._can_count = bool(listening.counts)

    @property
    def per_s(self) -> float:
        """How many a second were let in, from the first connect to the last that was parked."""
        return float(self.parked["per_s"])

    def wake(
        self, first: int, send: Callable[[], object], *, count: int = 1, again: bool = False
    ) -> Woken:
        """Wait until the ids `first` and after, `count` of them, came to all, `send` having sent
        them; with `again` until all wait again as well, where the server counts them."""
        again = again and self._can_count
        self.say(f"wake {first} {count}{' again' if again else ''}")
        self.hear("armed")
        began_ns = time.monotonic_ns()
        send()
        self.say(f"sent {began_ns}")
        told = self.hear("woken")
        if told["woken"] == 0:
            raise ClientFailed(f"nobody was woken: {told}")
        woken = Woken(
            sent_ns=began_ns,
            woken=told["woken"],
            first_ms=told["first_ms"],
            last_ms=told["last_ms"],
            parts={float(part): ms for part, ms in told["ms"].items()},
            faults=told["faults"],
        )
        return self._again(woken) if again else woken

    def deliver(self, first: int, count: int, send: Callable[[], Sequence[int]]) -> Delivered:
        """Wait until the ids `first` and after, `count` of them, two or more, came to all. `send`
        has sent them, and says when it began to send each, in ns of `time.monotonic_ns`."""
        self.say(f"wake {first} {count}")
        self.hear("armed")
        self.say(f"sent {' '.join(map(str, send()))}")
        self.hear("woken")
        told = self.hear("delivered")
        if told["deliveries"] == 0:
            raise ClientFailed(f"nothing was delivered: {told}")
        return Delivered(
            deliveries=told["deliveries"],
            first_ms=told["first_ms"],
            last_ms=told["last_ms"],
            parts={float(part): ms for part, ms in told["ms"].items()},
            p99_ms=told["p99_ms"],
        )

    def deafen(self, many: int) -> None:
        """So many read no more, and are judged no more."""
        self.say(f"deafen {many}")
        self.hear("deafened")

    def cut(self, cut_ns: int, least: int) -> None:
        """At least so many are being cut off since `cut_ns`, and return (`RETURNING`)."""
        self.say(f"back {cut_ns} {least}")

    def back(self) -> Back:
        """Wait until all listen again, after a `cut`. Raises `ClientFailed`."""
        told = self.hear("back")
        curve = [(float(ms), int(parked)) for ms, parked in told["curve"]]
        return Back(curve[-1][0], told["cut"], told["refused"], curve)

    def _again(self, woken: Woken) -> Woken:
        told = self.hear("parked_again")
        if told["parked"] < woken.woken:
            raise ClientFailed(f"not all polled again: {told}")
        return replace(woken, again_ms=told["ms"], again_late_ms=told["late_ms"])
