"""Carries out a plan: begins each fault, ends it, and waits until all is well before the next."""

import asyncio
from collections.abc import Callable, Sequence

from checker.history import Phase
from deploy.kafka.node import Node
from deploy.local.program import Program
from faults.pause import pause
from faults.plan import Blow, Kind, Period
from faults.site import Site

Record = Callable[[Blow, str, Phase], None]


class Nemesis:
    """Plays periods on a site. `record` is told of each fault, and of who is hit, before it is felt
    and when it is healed."""

    def __init__(self, site: Site, record: Record) -> None:
        self._site = site
        self._record = record

    async def play(self, periods: Sequence[Period]) -> None:
        """All of them, one after the other. Raises `AssertionError` when something does not become
        well again in time."""
        for period in periods:
            async with asyncio.TaskGroup() as group:
                for blow in period.blows:
                    group.create_task(STRIKES[blow.kind](self, blow))
            await self._site.is_well()
            await pause(period.rest_s)

    async def kill(self, blow: Blow) -> None:
        """kill -9, and a start."""
        process = await self._begin(blow)
        await asyncio.to_thread(process.kill)
        await pause(blow.hold_s)
        process.start()
        self._end(blow, process)

    async def stall(self, blow: Blow) -> None:
        """SIGSTOP and SIGCONT."""
        process = await self._begin(blow)
        process.pause()
        await pause(blow.hold_s)
        process.resume()
        self._end(blow, process)

    async def end(self, blow: Blow) -> None:
        """SIGTERM, and a start."""
        process = await self._begin(blow)
        await self._site.end(process)
        await pause(blow.hold_s)
        process.start()
        self._end(blow, process)

    async def flush(self, blow: Blow) -> None:
        """Redis forgets everything."""
        process = await self._begin(blow)
        await asyncio.to_thread(self._site.flush)
        self._end(blow, process)

    async def fill(self, blow: Blow) -> None:
        """No room on the small disk. Kafka gives a log folder that failed up until it is started
        anew."""
        node = self._site.small
        self._record(blow, _name(node), "begin")
        await asyncio.to_thread(self._site.fill)
        await pause(blow.hold_s)
        self._site.free()
        await asyncio.to_thread(node.kill)
        node.start()
        self._end(blow, node)

    async def cut(self, blow: Blow) -> None:
        """Two processes do not reach each other."""
        sides = await self._site.find(blow.target), await self._site.find(blow.other)
        one, other = map(_name, sides)
        self._record(blow, f"{one} and {other}", "begin")
        self._site.cut(one, other)
        await pause(blow.hold_s)
        self._site.heal()
        self._record(blow, f"{one} and {other}", "end")

    async def _begin(self, blow: Blow) -> Node | Program:
        process = await self._site.find(blow.target)
        self._record(blow, _name(process), "begin")
        return process

    def _end(self, blow: Blow, process: Node | Program) -> None:
        self._record(blow, _name(process), "end")


STRIKES = {
    Kind.KILL: Nemesis.kill,
    Kind.STALL: Nemesis.stall,
    Kind.END: Nemesis.end,
    Kind.FLUSH: Nemesis.flush,
    Kind.CUT: Nemesis.cut,
    Kind.FULL: Nemesis.fill,
}


def _name(process: Node | Program) -> str:
    return f"broker-{process.place.id}" if isinstance(process, Node) else process.name
