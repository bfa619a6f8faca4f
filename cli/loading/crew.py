"""The workers of a run as processes: started, told, heard, and ended whatever happens."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from cli.loading.words import (
    LINE_BYTES_MAX,
    Acks,
    Begin,
    Judge,
    Order,
    Plan,
    Post,
    Posted,
    Report,
    Stats,
    Verdict,
    acks_of,
)
from cli.show import Trouble
from libs.wire.codec import from_json, to_json

# What a worker that was told to end, or lost its orders, is given before it is killed.
END_S = 5.0
# Of what it printed on standard error, in a failure's message.
TAIL_CHARACTERS = 500
WORKER = "cli.loading.worker"


class Crew:
    """Workers that run. What they report is kept here; `moved` is set with each report."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process], places: int) -> None:
        self._processes = processes
        self.stats: dict[int, Stats] = {}
        self.verdicts: list[Verdict] = []
        # Of each place: id and number of each post.
        self.acks: list[list[tuple[int, int]]] = [[] for _ in range(places)]
        self._posted = 0
        self._moved = asyncio.Event()

    async def hear(self) -> None:
        """Hear all of them to their ends. Raises `Trouble` for one that died before its verdict."""
        async with asyncio.TaskGroup() as tasks:
            for number, process in enumerate(self._processes):
                tasks.create_task(self._hear(number, process))

    async def tell(self, order: Order) -> None:
        """Tell it to all of them."""
        for process in self._processes:
            _write(process, order)
        await asyncio.gather(*map(_drained, self._processes))

    async def until(self, is_so: Callable[[], bool], within_s: float) -> bool:
        """Wait until what they reported makes it so; False when it does not in time."""
        try:
            async with asyncio.timeout(within_s):
                while not is_so():
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return is_so()
        return True

    async def begin_posts(self) -> None:
        """Have them post."""
        await self.tell(Post())

    def have_posted(self) -> bool:
        """Whether all of them are through with their posts."""
        return self._posted == len(self._processes)

    async def judge(self, until: Sequence[int], within_s: float) -> None:
        """Tell all what each was acknowledged, and have them judge."""
        for place, pairs in enumerate(self.acks):
            for acks in acks_of(place, pairs):
                await self.tell(acks)
        await self.tell(Judge(tuple(until), within_s))

    def have_judged(self) -> bool:
        """Whether all of them have."""
        return len(self.verdicts) == len(self._processes)

    def errors(self) -> Counter[str]:
        """What went wrong anywhere."""
        return sum((Counter(each.errors) for each in self.stats.values()), Counter())

    async def _hear(self, number: int, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        has_judged = False
        while line := await process.stdout.readline():
            report: Report = from_json(line, Report)  # type: ignore[arg-type]
            self._take(number, report)
            has_judged = has_judged or isinstance(report, Verdict)
            self._moved.set()
        if not has_judged:
            raise Trouble(f"a worker died before it was told to end: {await _last(process)}")

    def _take(self, number: int, report: Report) -> None:
        match report:
            case Stats():
                self.stats[number] = report
            case Acks():
                self.acks[report.place] += report.pairs
            case Posted():
                self._posted += 1
            case Verdict():
                self.verdicts.append(report)


@asynccontextmanager
async def crew_of(plans: Sequence[Plan]) -> AsyncIterator[Crew]:
    """Workers for these plans, which have begun. They are ended at the end."""
    processes: list[asyncio.subprocess.Process] = []
    try:
        for plan in plans:
            processes.append(await _started())
            _write(processes[-1], Begin(plan))
        await asyncio.gather(*map(_drained, processes))
        yield Crew(processes, len(plans[0].places))
    finally:
        await asyncio.gather(*map(_ended, processes))


async def _started() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", WORKER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX,
        # Ctrl-C is for the command, which ends them.
        start_new_session=True,
    )


def _write(process: asyncio.subprocess.Process, order: Order) -> None:
    assert process.stdin is not None
    process.stdin.write(to_json(order) + b"\n")


async def _drained(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    try:
        await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        # It died: who hears it says so.
        return


async def _ended(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _last(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    said = (await process.stderr.read()).decode("utf-8", "replace").strip()
    lines = said[-TAIL_CHARACTERS:].splitlines()
    return lines[-1] if lines else f"exit code {await process.wait()}"
