"""Health says when the log is away."""

from libs.log.faults import FaultyLog, Script
from libs.runtime.log_watch import LogWatch
from libs.runtime.tests.world import world
from libs.wire.topics import DIRECTORY


async def test_a_log_that_is_cut_off_is_told_and_a_healed_one_is_not() -> None:
    async with world() as ports:
        await ports.log.create_topics([DIRECTORY])
        log = FaultyLog(ports.log, Script())
        watch = LogWatch(log, ports.clock)
        await watch.ask()
        assert watch.lacks() == []
        log.cut()
        await watch.ask()
        assert len(watch.lacks()) == 1
        assert watch.lacks()[0].startswith("log: ")
        log.heal()
        await watch.ask()
        assert watch.lacks() == []
