"""A plan is made of its seed alone, and no seed goes without any sort of fault."""

from collections import Counter

import pytest
from faults.plan import (
    BROKERS,
    CALM_S,
    DRILLS,
    LEADER,
    LONG_STALL_S,
    REDIS,
    SERVICES,
    Blow,
    Kind,
    drill,
    plan,
)

SEEDS = range(50)


def blows(seed: int) -> list[Blow]:
    return [blow for period in plan(seed) for blow in period.blows]


def test_a_seed_has_one_plan_and_two_seeds_have_two() -> None:
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_has_every_kind_for_every_target(seed: int) -> None:
    played = blows(seed)
    found = {(blow.kind, blow.target.partition("/")[0]) for blow in played}
    for kind in (Kind.KILL, Kind.STALL, Kind.END):
        assert {(kind, target) for target in (*SERVICES, *BROKERS)} <= found
    assert {(kind, REDIS) for kind in (Kind.KILL, Kind.STALL, Kind.FLUSH)} <= found
    assert {Kind.CUT, Kind.FULL} <= {blow.kind for blow in played}
    assert any(blow.target == LEADER and blow.hold_s == LONG_STALL_S for blow in played)
    assert len(played) >= 40


@pytest.mark.parametrize("seed", SEEDS)
def test_at_most_two_faults_at_once_and_never_of_two_brokers_or_one_service(seed: int) -> None:
    for period in plan(seed):
        rooms = Counter(room for blow in period.blows for room in blow.rooms)
        assert len(period.blows) <= 2
        assert set(rooms.values()) <= {1}


def test_some_periods_are_quiet_and_some_mixed() -> None:
    sizes = Counter(len(period.blows) for seed in SEEDS for period in plan(seed))
    share = sizes[0] / sizes.total()
    assert 0.15 < share < 0.3
    assert sizes[2] > sizes.total() * 0.1


@pytest.mark.parametrize("name", DRILLS)
def test_a_drill_begins_and_ends_in_calm(name: str) -> None:
    first, *others = drill(name)
    assert not first.blows
    assert [blow for period in others for blow in period.blows] == DRILLS[name]
    assert all(period.rest_s == CALM_S for period in (first, *others))


def test_a_sort_names_the_fault_and_the_sort_of_its_target() -> None:
    assert Blow(Kind.KILL, "chat/1", 4.0).sort == "kill -9: chat"
    assert Blow(Kind.STALL, LEADER, LONG_STALL_S).sort == "SIGSTOP for long: leader"
    assert Blow(Kind.CUT, "chat/0", 4.0, REDIS).sort == "cut off: chat from redis"
