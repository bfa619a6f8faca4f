"""Carries out a plan: begins each fault, ends it, and waits until all is well before the next."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from checker.history import Phase
from deploy.kafka.node import Node
from deploy.local.program import Program
from faults.pause import pause
from faults.plan import CONTROLLER, LEADER, Blow, Kind, Period
from faults.site import Site

# What figures are grouped by, who is hit, and whether it begins or ends.
Record = Callable[[str, str, Phase], None]


class Struck(NamedTuple):
    """A process that is hit, and what the fault is called."""

    process: Node | Program
    sort: str


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
                    group.create_task(self._strike(blow))
            await self._site.is_well()
            await pause(period.rest_s)

    async def _strike(self, blow: Blow) -> None:
        await pause(blow.after_s)
        await STRIKES[blow.kind](self, blow)

    async def kill(self, blow: Blow) -> None:
        """kill -9, and a start."""
        struck = await self._begin(blow)
        await asyncio.to_thread(struck.process.kill)
        await pause(blow.hold_s)
        struck.process.start()
        self._end(struck)

    async def stall(self, blow: Blow) -> None:
        """SIGSTOP and SIGCONT."""
        struck = await self._begin(blow)
        struck.process.pause()
        await pause(blow.hold_s)
        struck.process.resume()
        self._end(struck)

    async def end(self, blow: Blow) -> None:
        """SIGTERM, and a start."""
        struck = await self._begin(blow)
        await self._site.end(struck.process)
        await pause(blow.hold_s)
        struck.process.start()
        self._end(struck)

    async def flush(self, blow: Blow) -> None:
        """Redis forgets everything."""
        struck = await self._begin(blow)
        await asyncio.to_thread(self._site.flush)
        self._end(struck)

    async def fill(self, blow: Blow) -> None:
        """No room on the small disk. Kafka gives a log folder that failed up until it is started
        anew."""
        node = self._site.small
        struck = Struck(node, blow.sort)
        self._record(blow.sort, _name(node), "begin")
        await asyncio.to_thread(self._site.fill)
        await pause(blow.hold_s)
        self._site.free()
        await asyncio.to_thread(node.kill)
        node.start()
        self._end(struck)

    async def cut(self, blow: Blow) -> None:
        """Two processes do not reach each other."""
        sides = await self._site.find(blow.target), await self._site.find(blow.other)
        one, other = map(_name, sides)
        self._record(blow.sort, f"{one} and {other}", "begin")
        self._site.cut(one, other)
        await pause(blow.hold_s)
        self._site.heal()
        self._record(blow.sort, f"{one} and {other}", "end")

    async def _begin(self, blow: Blow) -> Struck:
        process = await self._site.find(blow.target)
        # Two elections, one after the other, are another fault than one.
        is_both = blow.target == LEADER and process is await self._site.find(CONTROLLER)
        struck = Struck(process, f"{blow.sort} and controller" if is_both else blow.sort)
        self._record(struck.sort, _name(process), "begin")
        return struck

    def _end(self, struck: Struck) -> None:
        self._record(struck.sort, _name(struck.process), "end")


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
