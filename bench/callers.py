"""The load client as one that calls: each connection has one request out at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.child import Child, ClientFailed
from bench.ways import Load


@dataclass(frozen=True)
class Calling:
    """What to ask of one server: a post of `body`, or a GET when there is none. `path`, `headers`
    and `body` know `{token}`, `{channel}`, `{n}` (the connection) and `{k}` (how many calls it has
    made); connections take tokens and channels from their files in turns."""

    targets: Sequence[str]
    path: str
    headers: Sequence[str]
    tokens: Path
    channels: Path
    body: str | None = None

    def words(self) -> list[str]:
        """The options of the client."""
        what = ("--way", "get") if self.body is None else ("--way", "post", "--body", self.body)
        return [
            *what,
            *("--path", self.path),
            *("--tokens", str(self.tokens), "--channels", str(self.channels)),
            *(word for target in self.targets for word in ("--to", target)),
            *(word for header in self.headers for word in ("--header", header)),
        ]


@dataclass(frozen=True)
class Called:
    """So many calls were answered in so many seconds. `parts` is the time in ms within which such a
    part (in percent) of them was, from the moment at which each was due."""

    calls: int
    seconds: float
    parts: Mapping[float, float]

    @property
    def per_s(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds


class Callers(Child):
    """Connections that call: see `Child`."""

    def __init__(self, calling: Calling, load: Load, *, may_fault: bool = False) -> None:
        super().__init__(calling.words(), load, may_fault=may_fault)

    def call(self, seconds: float, per_s: float = 0.0) -> Called:
        """Call for so long, and wait for the last answers: see `begin`."""
        self.begin(seconds, per_s)
        return self.called()

    def begin(self, seconds: float, per_s: float = 0.0, *, more: bool = False) -> None:
        """Let all call for so long, each one time after the other, or `per_s` times a second
        together. With `more` the calls before are told again with these, as of one time."""
        self.say(f"call {seconds * 1_000:.0f} {per_s:.3f}{' more' if more else ''}")

    def called(self) -> Called:
        """What became of the calls that began, once all are answered."""
        told = self.hear("called")
        if told["calls"] == 0:
            raise ClientFailed(f"nothing was answered: {told}")
        parts = {float(part): ms for part, ms in told["ms"].items()}
        return Called(told["calls"], told["seconds"], parts)
