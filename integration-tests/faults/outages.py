"""How long nobody was served, and during which fault: pure figures over a history."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from faults.seen import NS, Seen, Span

# What begins so soon after a fault was healed is its doing: what comes back has to be let in.
SETTLED_S = 4.0


class Served(NamedTuple):
    """Somebody waited from `asked` on and was served at `served`, in seconds."""

    served: float
    asked: float


class Outage(NamedTuple):
    """Somebody waited all this time, and nobody of the same channel was served."""

    began: float
    ended: float

    @property
    def lasted(self) -> float:
        """In seconds."""
        return self.ended - self.began


@dataclass
class Figure:
    """Of one sort of fault: how often, how often alone, and the longest outages, in seconds:
    while it was the only fault, and while there was another."""

    sort: str
    times: int = 0
    alone: int = 0
    posts_alone_s: float = 0.0
    delivery_alone_s: float = 0.0
    posts_mixed_s: float = 0.0
    delivery_mixed_s: float = 0.0


def outages(served: Iterable[Served]) -> Iterator[Outage]:
    """The times between one served and the next in which somebody waited who was served later."""
    order = sorted(served)
    waits = list(accumulate(reversed([each.asked for each in order]), min))[::-1]
    before = float("-inf")
    for each, longest_wait in zip(order, waits, strict=True):
        yield Outage(max(before, longest_wait), each.served)
        before = each.served


def of_posts(seen: Seen) -> list[Outage]:
    """From a post's first attempt to its acknowledgement, by channel."""
    served = defaultdict(list)
    for post in seen.posts.values():
        if post.acknowledged is not None:
            served[post.channel].append(Served(post.acknowledged, post.invoked))
    return [outage for each in served.values() for outage in outages(each)]


def of_delivery(seen: Seen, followers: str) -> list[Outage]:
    """From an acknowledgement to the delivery, by channel and by reader of that name."""
    known = {
        (post.channel, told.id): post.acknowledged
        for post in seen.posts.values()
        for told in post.acknowledgements
    }
    found: list[Outage] = []
    for (reader, channel), given in seen.deliveries.items():
        if reader.startswith(followers):
            served = [
                Served(each.t_ns * NS, asked)
                for each in given
                if (asked := known.get((channel, each.id))) is not None and asked < each.t_ns * NS
            ]
            found += outages(served)
    return found


def figures(seen: Seen, posts: Sequence[Outage], delivery: Sequence[Outage]) -> list[Figure]:
    """The longest outages by sort of fault; of those that no fault explains as "none"."""
    faults = seen.faults
    found: dict[str, Figure] = {}
    for fault in faults:
        figure = found.setdefault(fault.sort, Figure(fault.sort))
        figure.times += 1
        figure.alone += _is_alone(fault, faults)
    found["none"] = Figure("none")
    for outage in posts:
        for figure, alone in _blamed(outage, faults, found):
            name = "posts_alone_s" if alone else "posts_mixed_s"
            setattr(figure, name, max(getattr(figure, name), outage.lasted))
    for outage in delivery:
        for figure, alone in _blamed(outage, faults, found):
            name = "delivery_alone_s" if alone else "delivery_mixed_s"
            setattr(figure, name, max(getattr(figure, name), outage.lasted))
    return sorted(found.values(), key=lambda figure: figure.sort)


def _blamed(
    outage: Outage, faults: Sequence[Span], found: dict[str, Figure]
) -> Iterator[tuple[Figure, bool]]:
    guilty = [each for each in faults if _covers(each, outage)]
    if not guilty:
        yield found["none"], True
    for fault in guilty:
        yield found[fault.sort], len(guilty) == 1


def _covers(fault: Span, outage: Outage) -> bool:
    return outage.ended >= fault.began and outage.began <= fault.ended + SETTLED_S


def _is_alone(fault: Span, faults: Sequence[Span]) -> bool:
    reach = Outage(fault.began, fault.ended)
    return not any(_covers(other, reach) for other in faults if other is not fault)
