"""The ways to listen, and how the load client is told to do it at one server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class Way(Enum):
    """How entries come; the value is its name in options and reports."""

    POLL = "poll"
    JSON = "ws-json"
    PACKED = "ws-msgpack"
    SSE = "sse"

    @property
    def is_socket(self) -> bool:
        """Over a WebSocket."""
        return self in {Way.JSON, Way.PACKED}


@dataclass(frozen=True)
class Say:
    """Said between open and parked: text, or bytes as a binary frame. `{token}`, `{id}` and `{n}`
    (the connection's number) are filled in in text."""

    what: str | bytes


@dataclass(frozen=True)
class Hear:
    """Has to be a part of what is heard before the next step."""

    what: str


@dataclass(frozen=True)
class Count:
    """Where a server tells how many wait there: the number behind `metric` in the page at `path`,
    which may be `age_s` old."""

    address: str
    path: str
    metric: str
    age_s: float = 0.0


@dataclass(frozen=True)
class Listening:
    """How to listen at one server. `targets` are `host:port`, taken in turns; `path` and `headers`
    know `{token}` and `{id}`, the last id that was read. A connection is parked after its `steps`;
    who polls, when the `counts` say so."""

    way: Way
    targets: Sequence[str]
    path: str
    after: int = 0
    headers: Sequence[str] = ()
    protocol: str = ""
    steps: Sequence[Say | Hear] = ()
    replies: Sequence[tuple[str, str]] = ()
    carried: Sequence[tuple[str, str]] = ()
    counts: Sequence[Count] = ()
    tokens: Path | None = None
    is_packed: bool = False

    def words(self) -> list[str]:
        """The options of the client."""
        return [word for name, value in self._options() for word in (f"--{name}", value) if word]

    def _options(self) -> Iterator[tuple[str, str]]:
        yield "way", "ws" if self.way.is_socket else self.way.value
        yield from (("to", target) for target in self.targets)
        yield "path", self.path
        yield "after", str(self.after)
        yield from (("header", header) for header in self.headers)
        if self.protocol:
            yield "protocol", self.protocol
        if self.is_packed:
            yield "packed", ""
        if self.tokens is not None:
            yield "tokens", str(self.tokens)
        yield from map(_step, self.steps)
        yield from (("reply", f"{heard}={said}") for heard, said in self.replies)
        yield from (("carry", f"{of}={to}") for of, to in self.carried)
        for count in self.counts:
            yield "count", f"{count.address}{count.path}#{count.metric}"
        yield "count-age-s", str(max((count.age_s for count in self.counts), default=0.0))


def _step(step: Say | Hear) -> tuple[str, str]:
    if isinstance(step, Hear):
        return "hear", step.what
    return ("say", step.what) if isinstance(step.what, str) else ("say-hex", step.what.hex())


@dataclass(frozen=True)
class Load:
    """How much of it: so many `connections` from so many addresses in so many processes of the
    client, which runs on `cpu` (None: anywhere) and opens `connects_per_s` (0: all at once).
    `options` are further ones, as the client takes them."""

    connections: int
    processes: int = 1
    cpu: int | None = None
    connects_per_s: float = 0.0
    deadline_s: float = 60.0
    life_s: float = 600.0
    options: Sequence[str] = field(default=())

    def words(self) -> list[str]:
        """The options of the client."""
        words = [
            *("--connections", str(self.connections)),
            *("--processes", str(self.processes)),
            *("--sources", str(-(-self.connections // CONNECTIONS_OF_A_SOURCE))),
            *("--connects-per-s", str(self.connects_per_s)),
            *("--deadline-s", str(self.deadline_s)),
            *("--life-s", str(self.life_s)),
        ]
        return words if self.cpu is None else [*words, "--cpu", str(self.cpu)]


# Gateways take 1,000 connections of an address unless they are told otherwise.
CONNECTIONS_OF_A_SOURCE = 900
