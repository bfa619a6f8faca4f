"""What the command and its workers say to each other: a JSON object on a line of its own."""

from collections.abc import Iterator, Sequence

from libs.wire.codec import Struct

# An answer of a gateway is waited for as long as this; a post that has none then is unknown.
POSTED_S = 20.0
# Acknowledgements of one line.
ACKS_MAX = 2_000
# The plan of a worker with 100,000 tokens in it is 40 MB; all else is small.
LINE_BYTES_MAX = 64 << 20


class Place(Struct, frozen=True):
    """A channel of the run, and its last id before anybody followed."""

    channel: str
    epoch: int
    start: int


class Person(Struct, frozen=True):
    """Who follows or posts: a token, or none where the worker signs one for the user."""

    user: str
    token: str | None = None


class Following(Struct, frozen=True):
    """A follower: by which way, of which places (their numbers), how long after the start."""

    person: Person
    way: str
    places: tuple[int, ...]
    after_s: float


class Poster(Struct, frozen=True):
    """Who posts, in turn, to which places."""

    person: Person
    places: tuple[int, ...]


class Plan(Struct, frozen=True, kw_only=True):
    """All that a worker does. `data` is the folder whose key signs, `per_s` its own share of posts,
    `first` the number of its first post, of which each following one is `step` higher."""

    url: str
    data: str
    run: str
    places: tuple[Place, ...]
    followings: tuple[Following, ...]
    posters: tuple[Poster, ...]
    per_s: float
    seconds: float
    characters: int
    first: int
    step: int


class Begin(Struct, frozen=True, tag="begin"):
    """To a worker, first of all."""

    plan: Plan


class Post(Struct, frozen=True, tag="post"):
    """To a worker: begin to post."""


class Acks(Struct, frozen=True, tag="acks"):
    """What was acknowledged of a place, as (id, number): from a worker, then to all of them."""

    place: int
    pairs: tuple[tuple[int, int], ...]


def acks_of(place: int, pairs: Sequence[tuple[int, int]]) -> Iterator[Acks]:
    """Any number of them, `ACKS_MAX` a line."""
    for start in range(0, len(pairs), ACKS_MAX):
        yield Acks(place, tuple(pairs[start : start + ACKS_MAX]))


class Judge(Struct, frozen=True, tag="judge"):
    """To a worker: all acknowledgements are told. Wait until all to these ids (of each place) is
    there, `within_s` at most, judge and end."""

    until: tuple[int, ...]
    within_s: float


Order = Begin | Post | Acks | Judge


class OfWay(Struct, frozen=True, kw_only=True):
    """Counts of the followers of one way, since the start."""

    followers: int
    connected: int
    delivered: int = 0
    missing: int = 0
    repeated: int = 0
    out_of_order: int = 0
    left_out: int = 0
    breaks: int = 0
    steps: dict[int, int]


class OfPosts(Struct, frozen=True, kw_only=True):
    """Counts of posts, since the start. `unsent` were due while too many waited."""

    sent: int = 0
    acknowledged: int = 0
    waiting: int = 0
    unknown: int = 0
    failed: int = 0
    unsent: int = 0
    steps: dict[int, int]


class Stats(Struct, frozen=True, kw_only=True, tag="stats"):
    """From a worker, twice a second. `errors` counts by what went wrong; `late_ms` is how late the
    worker's own loop was at worst."""

    ways: dict[str, OfWay]
    posts: OfPosts
    errors: dict[str, int]
    late_ms: float


class Posted(Struct, frozen=True, tag="posted"):
    """From a worker: its posts ended, and its acknowledgements were told."""


class Verdict(Struct, frozen=True, kw_only=True, tag="verdict"):
    """From a worker, last of all: what its followers did not get (`lost`, by way) of what they
    should have (`expected`), and what its contents say."""

    expected: dict[str, int]
    lost: dict[str, int]
    differing: int
    unfounded: int
    written_again: int


Report = Stats | Acks | Posted | Verdict
