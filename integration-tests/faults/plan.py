"""What goes wrong, and when: a pure function of the seed.

A seed shuffles one deck, which holds every kind of fault for every sort of target, so that no seed
goes without any. Cards are played one or two at a time, and in between nothing is wrong.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from libs.wire.services import CHAT, GATEWAY, GROUP_MEMBERSHIP, RELAY, SESSION

# Instances of each service, of which one at a time is hit.
INSTANCES = 2
SERVICES = (GATEWAY, CHAT, GROUP_MEMBERSHIP, SESSION, RELAY)
LEADER, FOLLOWER, CONTROLLER = "leader", "follower", "controller"
BROKERS = (LEADER, FOLLOWER, CONTROLLER)
REDIS = "redis"

# Around the timeouts of the services, which are between half a second and six.
HOLD_S = (2.5, 5.5)
# A leader that stands still so long comes back while its producers still wait for it (5 s): what
# they sent to it lands behind what was sent again meanwhile.
SHORT_STALL_S = (3.0, 4.5)
GATHERED_S = 0.8
LONG_STALL_S, SLEEP_S = 20.0, 10.0
REST_S = (1.0, 2.5)
QUIET_SHARE = 0.25
PAIR_SHARE = 0.5


class Kind(StrEnum):
    """What is done to a target."""

    KILL = "kill -9"
    STALL = "SIGSTOP"
    END = "SIGTERM"
    FLUSH = "FLUSHALL"
    CUT = "cut off"
    FULL = "disk full"


@dataclass(frozen=True)
class Blow:
    """One fault: `target` is a role of a broker, a service with its instance ("chat/0"), or Redis.
    It begins `after_s` into its period and lasts `hold_s`; a cut is between the target and the
    `other`."""

    kind: Kind
    target: str
    hold_s: float
    other: str = ""
    after_s: float = 0.0

    @property
    def sort(self) -> str:
        """What figures are grouped by: the fault and the sort of its target."""
        sides = [_sort_of(side) for side in (self.target, self.other) if side]
        long = " for long" if self.hold_s >= SLEEP_S else ""
        return f"{self.kind.value}{long}: {' from '.join(sides)}"

    @property
    def rooms(self) -> set[str]:
        """What must not be hit by a second fault at the same time."""
        return {_room_of(side) for side in (self.target, self.other) if side}


@dataclass(frozen=True)
class Period:
    """Faults that begin together (none: a quiet time), and the rest after they are healed."""

    blows: tuple[Blow, ...]
    rest_s: float


FLUSHED, AWAY = "redis-flushed", "redis-away"
CALM_S = 20.0
DRILLS = {
    FLUSHED: [Blow(Kind.FLUSH, REDIS, 0.0)] * 4,
    AWAY: [Blow(Kind.KILL, REDIS, 20.0)],
}


def drill(name: str) -> list[Period]:
    """A plan of one purpose. Raises `KeyError` for a name that is not in `DRILLS`."""
    return [Period((), CALM_S), *(Period((blow,), CALM_S) for blow in DRILLS[name])]


def plan(seed: int) -> list[Period]:
    """The periods of a seed."""
    dice = random.Random(seed)
    cards = list(_deck(dice))
    dice.shuffle(cards)
    periods = []
    while cards:
        if dice.random() < QUIET_SHARE:
            periods.append(Period((), dice.uniform(*HOLD_S)))
        blows = [cards.pop()]
        if dice.random() < PAIR_SHARE:
            blows += _second(cards, blows[0])
        periods.append(Period(tuple(blows), dice.uniform(*REST_S)))
    return [*periods, *_asides(dice)]


def _asides(dice: random.Random) -> Iterator[Period]:
    """What chance seldom brings together. While a leader stands still, the instance of chat that
    waits for it is told to end: what it has sent lands behind what another one is asked to send
    again meanwhile. And an instance sleeps longer than gateways wait for it."""
    for at in range(INSTANCES):
        stall = Blow(Kind.STALL, LEADER, dice.uniform(*SHORT_STALL_S))
        hold_s = dice.uniform(*SHORT_STALL_S)
        # By then it has posts under way, and nobody has elected another leader yet.
        end = Blow(Kind.END, f"{CHAT}/{at}", hold_s, after_s=GATHERED_S)
        yield Period((stall, end), dice.uniform(*REST_S))
    yield Period((Blow(Kind.STALL, _any(dice, CHAT), SLEEP_S),), dice.uniform(*REST_S))


def _second(cards: list[Blow], first: Blow) -> list[Blow]:
    """The next card that hits elsewhere, taken out. Cuts are healed all together, so one only."""
    for at, card in enumerate(cards):
        if not card.rooms & first.rooms and not card.kind == first.kind == Kind.CUT:
            return [cards.pop(at)]
    return []


def _deck(dice: random.Random) -> Iterator[Blow]:
    for service in SERVICES:
        for at in range(INSTANCES):
            yield Blow(Kind.KILL, f"{service}/{at}", dice.uniform(*HOLD_S))
        for kind in (Kind.STALL, Kind.END):
            yield Blow(kind, _any(dice, service), dice.uniform(*HOLD_S))
    for role in BROKERS:
        for kind in (Kind.KILL, Kind.STALL, Kind.END):
            yield Blow(kind, role, dice.uniform(*HOLD_S))
    yield Blow(Kind.KILL, LEADER, dice.uniform(*HOLD_S))
    for _ in range(2):
        yield Blow(Kind.STALL, LEADER, dice.uniform(*SHORT_STALL_S))
    yield Blow(Kind.STALL, LEADER, LONG_STALL_S)
    yield Blow(Kind.FULL, FOLLOWER, dice.uniform(*HOLD_S))
    yield from (Blow(kind, REDIS, dice.uniform(*HOLD_S)) for kind in (Kind.STALL, Kind.KILL))
    yield from (Blow(Kind.FLUSH, REDIS, 0.0) for _ in range(2))
    yield from _cuts(dice)


def _cuts(dice: random.Random) -> Iterator[Blow]:
    pairs = (
        (_any(dice, CHAT), LEADER),
        (_any(dice, RELAY), LEADER),
        (_any(dice, GATEWAY), _any(dice, RELAY)),
        (_any(dice, GATEWAY), _any(dice, CHAT)),
        (_any(dice, CHAT), REDIS),
        (_any(dice, GROUP_MEMBERSHIP), REDIS),
        (LEADER, FOLLOWER),
    )
    for one, other in pairs:
        yield Blow(Kind.CUT, one, dice.uniform(*HOLD_S), other)


def _any(dice: random.Random, service: str) -> str:
    return f"{service}/{dice.randrange(INSTANCES)}"


def _sort_of(side: str) -> str:
    return side.partition("/")[0]


def _room_of(side: str) -> str:
    # At most one broker of three at a time: with two away nobody can acknowledge anything.
    return "broker" if side in BROKERS else _sort_of(side)
