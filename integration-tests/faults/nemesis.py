"""Carries out a plan: begins each fault, ends it, and waits until all is well before the next."""

import asyncio
from collections.abc import Callable, Sequence

import redis

from checker.history import Phase
from deploy.kafka.node import Node
from deploy.local.program import Program
from faults.pause import pause
from faults.plan import Blow, Kind, Period
from faults.site import Site

Record = Callable[[Blow, str, Phase], None]


class Nemesis:
    """Plays periods on a site. `record` is told of each beginning and end, with who was hit."""

    def __init__(self, site: Site, record: Record) -> None:
        self._site = site
        self._record = record

    async def play(self, periods: Sequence[Period]) -> None:
        """All of them, one after the other."""
        for period in periods:
            async with asyncio.TaskGroup() as group:
                for blow in period.blows:
                    group.create_task(self._strike(blow))
            await self._site.is_well()
            await pause(period.rest_s)

    async def _strike(self, blow: Blow) -> None:
        await STRIKES[blow.kind](self, blow)

    async def _kill(self, blow: Blow) -> None:
        process = await self._site.find(blow.target)
        self._begins(blow, process)
        await asyncio.to_thread(process.kill)
        await pause(blow.hold_s)
        process.start()
        self._ends(blow, process)

    async def _stall(self, blow: Blow) -> None:
        process = await self._site.find(blow.target)
        self._begins(blow, process)
        process.pause()
        try:
            await pause(blow.hold_s)
        finally:
            process.resume()
        self._ends(blow, process)

    async def _end(self, blow: Blow) -> None:
        process = await self._site.find(blow.target)
        self._begins(blow, process)
        await self._site.end(process)
        await pause(blow.hold_s)
        process.start()
        self._ends(blow, process)

    async def _flush(self, blow: Blow) -> None:
        process = await self._site.find(blow.target)
        self._begins(blow, process)
        try:
            await asyncio.to_thread(self._site.cluster.flush_redis)
        except redis.RedisError as fault:
            raise AssertionError(f"Redis was not flushed: {fault}") from fault
        self._ends(blow, process)

    async def _fill(self, blow: Blow) -> None:
        node = self._site.fill()
        self._begins(blow, node)
        try:
            await pause(blow.hold_s)
        finally:
            self._site.free()
        # Kafka gives a log folder that failed up until it is started anew.
        await asyncio.to_thread(node.kill)
        node.start()
        self._ends(blow, node)

    async def _cut(self, blow: Blow) -> None:
        one, other = await self._site.find(blow.target), await self._site.find(blow.other)
        who = f"{_name(one)} and {_name(other)}"
        self._site.cluster.cut(_name(one), _name(other))
        self._record(blow, who, "begin")
        try:
            await pause(blow.hold_s)
        finally:
            self._site.cluster.heal()
        self._record(blow, who, "end")

    def _begins(self, blow: Blow, process: Node | Program) -> None:
        self._record(blow, _name(process), "begin")

    def _ends(self, blow: Blow, process: Node | Program) -> None:
        self._record(blow, _name(process), "end")


STRIKES = {
    Kind.KILL: Nemesis._kill,
    Kind.STALL: Nemesis._stall,
    Kind.END: Nemesis._end,
    Kind.FLUSH: Nemesis._flush,
    Kind.FULL: Nemesis._fill,
    Kind.CUT: Nemesis._cut,
}


def _name(process: Node | Program) -> str:
    return f"broker-{process.place.id}" if isinstance(process, Node) else process.name
