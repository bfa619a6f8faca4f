"""The load client as one that posts: each connection has one post out at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.child import Child, ClientFailed
from bench.ways import Load


@dataclass(frozen=True)
class Posting:
    """How to post at one server. `path`, `headers` and `body` know `{token}`, `{channel}`, `{n}`
    (the connection) and `{k}` (how many posts it has made); connections take tokens and channels
    from their files in turns."""

    targets: Sequence[str]
    path: str
    body: str
    headers: Sequence[str]
    tokens: Path
    channels: Path

    def words(self) -> list[str]:
        """The options of the client."""
        return [
            *("--way", "post", "--path", self.path, "--body", self.body),
            *("--tokens", str(self.tokens), "--channels", str(self.channels)),
            *(word for target in self.targets for word in ("--to", target)),
            *(word for header in self.headers for word in ("--header", header)),
        ]


@dataclass(frozen=True)
class Posted:
    """So many posts were acknowledged in so many seconds. `parts` is the time in ms within which
    such a part (in percent) of them was."""

    posts: int
    seconds: float
    parts: Mapping[float, float]

    @property
    def per_s(self) -> float:
        """Posts a second."""
        return self.posts / self.seconds


class Posters(Child):
    """Connections that post: see `Child`."""

    def __init__(self, posting: Posting, load: Load, *, may_fault: bool = False) -> None:
        super().__init__(posting.words(), load, may_fault=may_fault)

    def post(self, seconds: float) -> Posted:
        """Post for so long, and wait for the last answers."""
        self.say(f"post {seconds * 1_000:.0f}")
        told = self.hear("posted")
        if told["posts"] == 0:
            raise ClientFailed(f"nothing was posted: {told}")
        parts = {float(part): ms for part, ms in told["ms"].items()}
        return Posted(told["posts"], told["seconds"], parts)
