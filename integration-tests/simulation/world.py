"""One seed: what happens, and what came of it."""

import asyncio
import hashlib
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from checker.history import Event, Via
from libs.log.faults import FaultyLog, Later
from libs.log.memory import MemoryLog
from libs.log.port import Partition
from libs.runtime.service import Ports
from libs.testing import scheduler
from libs.testing.clock import LoopClock
from libs.wire import ids
from libs.wire.api import AccessQuestion, PostBatch
from libs.wire.services import GROUP_MEMBERSHIP, RELAY
from libs.wire.topics import ACCESS_CHANGES, DIRECTORY, SIGNALS

from . import cores
from .chaos import Chaos, Troubles
from .claims import Claimant, disputes
from .cores import Chat, Gateway, Relay
from .instances import Instance, Surroundings, WorldTasks
from .links import Dial, Pipes
from .network import Network
from .people import Gateways, History, Poster, Reader
from .process import Process
from .redis import Server

CHANNELS = 2
POSTERS = 2  # of each channel
READERS = 2
# Mostly few, for what breaks shows soon; sometimes enough for an instance to live through several.
POSTS = (4, 4, 4, 4, 4, 4, 4, 20)
CLAIMED = 4
# Beyond the deadline of a post, so that it is told "unknown" before its append lands.
LATE_S_MAX = 5.0
CATCH_UP_S = 60.0
# After it the dead are back, and no post is on its way any more, wherever its client has gone.
SETTLED_S = 6.0


@dataclass(frozen=True)
class Roles:
    """How the services are built; tests plant faults here."""

    chat: Callable[[Ports], Chat] = cores.chat
    relay: Callable[[Ports], Relay] = cores.relay
    gateway: Callable[[Ports, Any, Dial], Gateway] = cores.gateway


@dataclass(frozen=True)
class Outcome:
    """What came of a seed: the history, what broke beside it, and a digest of the whole trace."""

    seed: int
    events: Sequence[Event]
    faults: Sequence[str]
    trace: str


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, roles: Roles) -> None:
        self.dice = random.Random(seed)
        self.faults: list[str] = []
        self.tasks = WorldTasks(self.faults)
        self.network = Network(self.dice, self.tasks)
        self.clock = LoopClock()
        self.memory = MemoryLog(self.clock.now_ms)
        self.troubles = Troubles(self.dice)
        later = Later(self._late, lambda work: self.tasks.spawn(work, name="late"))
        self.log = FaultyLog(self.memory, self.troubles, later=later)
        self.redis = Server(self.network)
        self.pipes = Pipes(self.network)
        self.history = History(self.network)
        self.claimants = [Claimant(self.log, self.clock, self.dice) for _ in range(2)]
        self.around = Surroundings(
            self.dice,
            self.network,
            log=self.log,
            redis=self.redis,
            faults=self.faults,
            answer=self._answer,
        )
        self._roles = roles
        self._posts = self.dice.choice(POSTS)
        self._claimed = [ids.derived("channel", str(number)) for number in range(CLAIMED)]
        self.channels = self._claimed[:CHANNELS]
        self.chats: list[Instance[Chat]] = []
        self.relays: list[Instance[Relay]] = []
        self.gateways: list[Instance[Gateway]] = []

    async def _late(self, _: float) -> None:
        await self.clock.sleep(0 if self.network.is_calm else self.dice.uniform(0, LATE_S_MAX))

    async def begin(self) -> None:
        """Places for the channels, then the instances."""
        await self.memory.create_topics([ACCESS_CHANGES, DIRECTORY, SIGNALS])
        async with asyncio.TaskGroup() as racing:
            for claimant in self.claimants:
                order = self.dice.sample(self._claimed, CLAIMED)
                racing.create_task(claimant.place(order), name="claims")
        self.faults += disputes(*self.claimants)
        loop = asyncio.get_running_loop()
        for number in range(2):
            self.chats.append(Instance(f"chat-{number}", self._roles.chat, self.around))
            self.relays.append(Instance(f"relay-{number}", self._roles.relay, self.around))
            self.gateways.append(
                Instance(
                    f"gateway-{number}",
                    lambda ports: self._roles.gateway(ports, loop, self._wire),
                    self.around,
                )
            )

    async def live(self) -> None:
        """People post and read while things break."""
        chaos = Chaos(self.dice, self.network, log=self.log, pipes=self.pipes, redis=self.redis)
        breaking = self.tasks.spawn(chaos.run(self._living), name="chaos")
        readers = [
            self._reader(f"reader-{number}", self.channels[number % CHANNELS])
            for number in range(CHANNELS * READERS)
        ]
        async with asyncio.TaskGroup() as people:
            following = []
            for reader in readers:
                reader.begin()
                work = reader.follow(self._gateways, self.network)
                following.append(people.create_task(work, name=reader.name))
            async with asyncio.TaskGroup() as posting:
                for number in range(CHANNELS * POSTERS):
                    posting.create_task(self._post(number), name=f"poster-{number}")
            breaking.cancel()
            chaos.heal()
            await self._calm_down()
            for task in following:
                task.cancel()
        await self._catch_up(readers)

    async def digest(self) -> str:
        """Of all that happened, and of all that was written with its times."""
        whole = hashlib.sha256(repr(self.history.events).encode())
        for partition in self._partitions():
            whole.update(repr(await self.memory.read(partition, 0, limit=1_000)).encode())
        return whole.hexdigest()[:16]

    async def _post(self, number: int) -> None:
        channel = self.channels[number % CHANNELS]
        poster = Poster(f"poster-{number}", channel, history=self.history, dice=self.dice)
        for count in range(self._posts):
            await poster.post(count, self._gateways, self.network)

    async def _calm_down(self) -> None:
        self.troubles.is_calm = self.network.is_calm = True
        await self.log.release()
        await self.clock.sleep(SETTLED_S)

    async def _catch_up(self, readers: Sequence[Reader]) -> None:
        """Those who read all along come to the end; then each gateway is read from the start."""
        ends = {channel: await self._end(channel) for channel in self.channels}
        async with asyncio.TaskGroup() as reading:
            for reader in readers:
                work = self._read_until(reader, ends[reader.channel], self._gateways)
                reading.create_task(work, name=reader.name)
        async with asyncio.TaskGroup() as reading:
            for number, gateway in enumerate(self.gateways):
                for channel in self.channels:
                    reading.create_task(self._final(number, gateway, channel, ends[channel]))

    async def _final(self, number: int, gateway: Instance[Gateway], channel: str, end: int) -> None:
        reader = self._reader(f"final-{number}-{channel}", channel, via="final")
        reader.begin()
        await self._read_until(reader, end, lambda: [(gateway.process, gateway.core)])
        reader.finish()

    async def _read_until(self, reader: Reader, end: int, gateways: Gateways) -> None:
        try:
            async with asyncio.timeout(CATCH_UP_S):
                while reader.cursor.id < end:
                    await reader.poll(gateways, self.network, wait_s=1.0)
        except TimeoutError:
            self.faults.append(
                f"{reader.name} is at {reader.cursor} of {end} after {CATCH_UP_S} s without faults"
            )

    async def _end(self, channel: str) -> int:
        place = self.claimants[0].placed[channel]
        partition = Partition(place.topic, place.partition)
        return place.id_of((await self.memory.ends([partition]))[partition].next) - 1

    def _partitions(self) -> list[Partition]:
        places = self.claimants[0].placed.values()
        signals = [Partition(SIGNALS.name, index) for index in range(SIGNALS.partitions)]
        return [Partition(place.topic, place.partition) for place in places] + signals

    def _reader(self, name: str, channel: str, *, via: Via = "poll") -> Reader:
        return Reader(name, channel, history=self.history, dice=self.dice, via=via)

    def _instances(self) -> list[Instance[Any]]:
        return [*self.chats, *self.relays, *self.gateways]

    def _living(self) -> list[Process]:
        living = [each.process for each in self._instances() if each.process.is_alive]
        return living or [self.chats[0].process]

    def _gateways(self) -> list[tuple[Process, Gateway]]:
        return [(each.process, each.core) for each in self.gateways]

    async def _answer(self, service: str, question: Any) -> Any:
        if service == GROUP_MEMBERSHIP:
            assert isinstance(question, AccessQuestion)
            return self.dice.choice(self.claimants).answer(question)
        if isinstance(question, PostBatch):
            chat = next(each for each in self.chats if each.name == service)
            return await chat.process.serve(chat.core.batch(question))
        assert service == RELAY
        relay = self.dice.choice(self.relays)
        return await relay.process.serve(relay.core.pages.page(question))

    def _wire(self, name: str) -> AbstractAsyncContextManager[Any]:
        relay = next(each for each in self.relays if each.name == name)
        core = relay.core
        return self.pipes.lay(relay.process, core.link, lambda: core.reconciler.reconciled_ms)


def run(seed: int, roles: Roles = Roles()) -> Outcome:
    """Live through one seed. Raises `Deadlock`, `StepsExhausted`, `AssertionError`."""
    # What the services draw for themselves (jitter) is of the seed, too.
    random.seed(seed)

    async def main() -> Outcome:
        world = World(seed, roles)
        await world.begin()
        await world.live()
        return Outcome(seed, world.history.events, world.faults, await world.digest())

    return scheduler.run(seed, main)
