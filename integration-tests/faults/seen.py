"""A history put together for figures: posts with their attempts, faults, deliveries by reader."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from checker.history import Deliver, Event, Failed, Fault, Invoke, Ok, Unknown

NS = 1e-9


@dataclass
class Post:
    """One post: when it was first sent and first acknowledged, in seconds, and the outcome of each
    attempt."""

    key: str
    channel: str
    invoked: float
    attempts: int = 0
    outcomes: list[Ok | Failed | Unknown] = field(default_factory=list)
    acknowledged: float | None = None

    @property
    def acknowledgements(self) -> list[Ok]:
        """Those of its attempts."""
        return [each for each in self.outcomes if isinstance(each, Ok)]


@dataclass
class Span:
    """A fault, from its beginning to when it was healed, in seconds. `sort` says what is done to
    which sort of target, `who` to whom."""

    sort: str
    who: str
    began: float
    ended: float = float("inf")


@dataclass
class Seen:
    """What happened. Posts are by their key, deliveries by reader and channel, messages by channel
    and id with their key, `voids` by channel and id with the id that they repeat, if any."""

    posts: dict[str, Post] = field(default_factory=dict)
    faults: list[Span] = field(default_factory=list)
    deliveries: dict[tuple[str, str], list[Deliver]] = field(
        default_factory=lambda: defaultdict(list)
    )
    messages: dict[tuple[str, int], str] = field(default_factory=dict)
    voids: dict[tuple[str, int], int | None] = field(default_factory=dict)

    def repeated(self) -> set[str]:
        """The keys of posts that have a record besides their message."""
        places = {(channel, of) for (channel, _), of in self.voids.items() if of is not None}
        return {self.messages[place] for place in places & self.messages.keys()}

    def take(self, event: Event) -> None:
        """The next event."""
        match event:
            case Invoke():
                post = Post(event.client_id, event.channel, event.t_ns * NS)
                self.posts.setdefault(event.client_id, post).attempts = event.attempt
            case Ok() | Failed() | Unknown():
                self._take_outcome(self.posts[event.client_id], event)
            case Deliver():
                self.deliveries[event.reader, event.channel].append(event)
                if event.type == "void":
                    self.voids[event.channel, event.id] = event.dup_of
                else:
                    self.messages[event.channel, event.id] = event.client_id
            case Fault():
                self._take_fault(event)
            case _:
                pass

    def _take_outcome(self, post: Post, outcome: Ok | Failed | Unknown) -> None:
        post.outcomes.append(outcome)
        if isinstance(outcome, Ok) and post.acknowledged is None:
            post.acknowledged = outcome.t_ns * NS

    def _take_fault(self, fault: Fault) -> None:
        at = fault.t_ns * NS
        if fault.phase == "begin":
            self.faults.append(Span(fault.name, fault.target, at))
            return
        for span in reversed(self.faults):
            if (span.sort, span.who) == (fault.name, fault.target):
                span.ended = at
                return


def seen(events: Iterable[Event]) -> Seen:
    """The history of these events, which are in the order of their times."""
    found = Seen()
    for event in events:
        found.take(event)
    return found
