"""What a plan asks for is done, noted and undone."""

from pathlib import Path

import pytest
from faults.nemesis import STRIKES, Nemesis
from faults.plan import CONTROLLER, LEADER, REDIS, Blow, Kind, Period
from faults.site import Site

from checker.history import Phase
from deploy.kafka.node import Node
from deploy.local.program import Program


class Actor(Program):
    """A program that only says what is done to it."""

    def __init__(self, name: str, told: list[str]) -> None:
        super().__init__(name, [], Path("nowhere"))
        self._told = told

    def start(self) -> None:
        self._told.append(f"start {self.name}")

    def kill(self) -> None:
        self._told.append(f"kill {self.name}")

    def pause(self) -> None:
        self._told.append(f"pause {self.name}")

    def resume(self) -> None:
        self._told.append(f"resume {self.name}")


class Stage(Site):
    """A site of actors."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.sorts: set[str] = set()
        self.both = Actor("broker", self.told)

    async def find(self, target: str) -> Node | Program:
        return self.both if target in (LEADER, CONTROLLER) else Actor(target, self.told)

    async def end(self, process: Node | Program) -> None:
        self.told.append(f"end {target_of(process)}")

    @property
    def small(self) -> Node | Program:
        return Actor("broker", self.told)

    def fill(self) -> None:
        self.told.append("fill")

    def free(self) -> None:
        self.told.append("free")

    def cut(self, one: str, other: str) -> None:
        self.told.append(f"cut {one} {other}")

    def heal(self) -> None:
        self.told.append("heal")

    def flush(self) -> None:
        self.told.append("flush")

    async def is_well(self) -> None:
        self.told.append("well")


def target_of(process: Node | Program) -> str:
    assert isinstance(process, Program)
    return process.name


async def played(*blows: Blow) -> Stage:
    stage = Stage()

    def record(sort: str, who: str, phase: Phase) -> None:
        stage.sorts.add(sort)
        stage.told.append(f"{phase} {who}")

    await Nemesis(stage, record).play([Period(blows, 0.0)])
    return stage


@pytest.mark.parametrize(
    ("blow", "done"),
    [
        (Blow(Kind.KILL, "a", 0.0), ["begin a", "kill a", "start a", "end a"]),
        (Blow(Kind.STALL, "a", 0.0), ["begin a", "pause a", "resume a", "end a"]),
        (Blow(Kind.END, "a", 0.0), ["begin a", "end a", "start a", "end a"]),
        (Blow(Kind.FLUSH, REDIS, 0.0), ["begin redis", "flush", "end redis"]),
        (Blow(Kind.CUT, "a", 0.0, "b"), ["begin a and b", "cut a b", "heal", "end a and b"]),
        (
            Blow(Kind.FULL, "follower", 0.0),
            ["begin broker", "fill", "free", "kill broker", "start broker", "end broker"],
        ),
    ],
)
async def test_a_fault_is_noted_before_it_is_felt_and_undone(blow: Blow, done: list[str]) -> None:
    assert (await played(blow)).told == [*done, "well"]


async def test_the_next_period_begins_when_all_is_well() -> None:
    assert (await played()).told == ["well"]


async def test_a_leader_that_is_the_controller_as_well_is_another_sort_of_fault() -> None:
    """Its heirs elect twice, one after the other."""
    stage = await played(Blow(Kind.KILL, LEADER, 0.0))
    assert stage.sorts == {"kill -9: leader and controller"}
    stage = await played(Blow(Kind.KILL, CONTROLLER, 0.0))
    assert stage.sorts == {"kill -9: controller"}


async def test_a_second_fault_of_a_period_may_begin_later() -> None:
    late = Blow(Kind.END, "late", 0.0, after_s=0.05)
    told = (await played(late, Blow(Kind.STALL, "early", 0.0))).told
    assert told.index("end early") < told.index("begin late")


def test_every_kind_can_be_done() -> None:
    assert set(STRIKES) == set(Kind)
