"""A second world: a view in Redis, folded by two instances that die, over a Redis that forgets.

Law L6 and L7: however often it was resumed, in the end it is what one fold from the start gives.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from libs.log.faults import FaultyLog, Later
from libs.log.memory import MemoryLog
from libs.log.port import LogError, Partition, Stored
from libs.runtime.service import Loop, Ports
from libs.runtime.view import View
from libs.store import Pipeline
from libs.testing import scheduler
from libs.testing.clock import LoopClock
from libs.wire.records import Heartbeat
from libs.wire.topics import Cleanup, Topic

from .chaos import Chaos, Troubles
from .instances import Instance, Surroundings, WorldTasks
from .links import Pipes
from .network import Network
from .redis import Server
from .world import Outcome

THINGS = Topic(
    "things",
    partitions=3,
    cleanup=Cleanup.NEVER,
    key="thing",
    holds=(Heartbeat,),
    writers=("shop",),
    readers=("shop",),
)
PARTITIONS = [Partition(THINGS.name, index) for index in range(THINGS.partitions)]
RECORDS = 30
PAUSE_S_MAX = 0.3
CATCH_UP_S = 60.0
LOOK_S = 0.1


@dataclass(frozen=True)
class Shop:
    """A service that has nothing but a view: a list of what came, for each partition. A batch that
    is folded twice, or not at all, shows."""

    view: View
    loops: Mapping[str, Loop]


async def fold(pipe: Pipeline, batch: Sequence[Stored]) -> None:
    """Note what came."""
    for stored in batch:
        pipe.rpush(_list(stored.partition), stored.value)


def shop(ports: Ports) -> Shop:
    """A shop over these ports."""
    view = View("shop", [THINGS], fold, ports=ports)
    return Shop(view, {"view": view.run})


class ViewWorld:
    """Everything of one seed."""

    def __init__(self, seed: int, build: Callable[[Ports], Shop]) -> None:
        self.dice = random.Random(seed)
        self.faults: list[str] = []
        tasks = WorldTasks(self.faults)
        self.clock = LoopClock()
        self.network = Network(self.dice, tasks)
        self.memory = MemoryLog(self.clock.now_ms)
        self.troubles = Troubles(self.dice)
        later = Later(self.clock.sleep, lambda work: tasks.spawn(work, name="late"))
        self.log = FaultyLog(self.memory, self.troubles, later=later)
        self.redis = Server(self.network)
        self.chaos = Chaos(
            self.dice, self.network, log=self.log, pipes=Pipes(self.network), redis=self.redis
        )
        self._tasks = tasks
        self._build = build

    async def live(self) -> None:
        """Records come while things break; then all calms down, and the view must be whole."""
        await self.memory.create_topics([THINGS])
        around = Surroundings(
            self.dice, self.network, log=self.log, redis=self.redis, faults=self.faults
        )
        shops = [Instance(f"shop-{number}", self._build, around) for number in range(2)]
        breaking = self._tasks.spawn(
            self.chaos.run(lambda: [each.process for each in shops]), name="chaos"
        )
        for number in range(RECORDS):
            with suppress(LogError):
                await self.log.append(self.dice.choice(PARTITIONS), b"%d" % number)
            await self.clock.sleep(self.dice.uniform(0, PAUSE_S_MAX))
        breaking.cancel()
        self.chaos.heal()
        self.troubles.is_calm = self.network.is_calm = True
        await self.log.release()
        await self._settle()

    async def digest(self) -> str:
        """Of what is there in the end, and when."""
        return f"{self.clock.monotonic()} {await self._written()}"

    async def _settle(self) -> None:
        until = self.clock.monotonic() + CATCH_UP_S
        written = await self._written()
        while (shown := self._shown()) != written:
            if self.clock.monotonic() > until:
                self.faults.append(f"L6: the view shows {shown}, and written is {written}")
                return
            await self.clock.sleep(LOOK_S)
        # And it stays like that: nobody folds anything again.
        await self.clock.sleep(CATCH_UP_S)
        if (shown := self._shown()) != written:
            self.faults.append(f"L6: the view went on to {shown}, and written is {written}")

    async def _written(self) -> list[list[bytes]]:
        read = [await self.memory.read(partition, 0, limit=1_000) for partition in PARTITIONS]
        return [[stored.value for stored in records] for records in read]

    def _shown(self) -> list[list[bytes]]:
        return [self.redis.items(_list(partition)) for partition in PARTITIONS]


def run(seed: int, build: Callable[[Ports], Shop] = shop) -> Outcome:
    """Live through one seed. Raises `Deadlock`, `StepsExhausted`, `AssertionError`."""
    random.seed(seed)

    async def main() -> Outcome:
        world = ViewWorld(seed, build)
        await world.live()
        return Outcome(seed, (), world.faults, await world.digest())

    return scheduler.run(seed, main)


def _list(partition: Partition) -> str:
    return f"shop:items:{partition.index}"
