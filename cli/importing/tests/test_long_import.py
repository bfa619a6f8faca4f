"""100,000 messages, and kill -9 while they are imported."""

import random
import re
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from cli.importing.message import read
from cli.importing.plan import Planner, Taken
from cli.importing.reading import messages, survey
from cli.importing.sample.writing import one_chat
from cli.importing.wording import Wording
from cli.tests.deployment import Deployment, deployed
from libs.testing.eventually import eventually
from rostrum import Message

pytestmark = [pytest.mark.long, pytest.mark.timeout(3 * 3_600)]

FEW, MANY = 10_000, 100_000
KILLS = 5
SEED = 20_210_517
# What may grow with the file: caches of SQLite and of the allocator that are not full at first.
GROWTH_KIB = 8 * 1_024
RUN_S = 3_600.0


def _sample(folder: Path, count: int) -> Path:
    file = folder / f"{count}.json"
    with file.open("w", encoding="utf-8", newline="\n") as written:
        written.writelines(one_chat(count))
    return file


def _planned(file: Path) -> Iterator[tuple[str, int | None]]:
    """Each text with the number of the text that it answers, from 1."""
    planner, entries, number = Planner(Wording()), dict[int, int](), 0
    for raw in messages(file, survey(file).chats[0]):
        plan = planner.plan(read(raw), entries.get)
        if not isinstance(plan, Taken):
            continue
        entries[plan.ident] = number + 1
        for part, text in enumerate(plan.texts):
            number += 1
            yield text, plan.reply_to if part == 0 else None


async def _found(there: Deployment, channel: str) -> AsyncIterator[tuple[str, int | None]]:
    """The same of what is in the channel; an id may be that of something void."""
    numbers: dict[int, int] = {}
    async for entry in there.client.history(channel):
        if isinstance(entry, Message):
            numbers[entry.id] = len(numbers) + 1
            answers = entry.reply_to
            yield entry.text, None if answers is None else numbers[answers]


async def _is_whole(there: Deployment, channel: str, file: Path) -> int:
    """Asserts that the channel holds the file: order, no double, no hole. Returns the entries."""
    planned, number = _planned(file), 0
    async for found in _found(there, channel):
        number += 1
        assert found == next(planned, None), f"entry {number}"
    assert next(planned, None) is None, f"only {number} entries"
    return number


def _peak_kib(process: Process) -> int:
    """The most memory that a process held so far; 0 when it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except FileNotFoundError:
        return 0
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) if peak else 0


class _Run:
    """One run of the import, watched for memory until it has ended or is killed."""

    def __init__(self, there: Deployment, process: Process) -> None:
        self._there = there
        self._process = process
        self.peak_kib = 0

    async def until(self, channel: str, count: int) -> None:
        """Return when the channel has so many entries."""
        await eventually(
            partial(self._has, channel, count),
            within_s=RUN_S,
            every_s=0.05,
            what=f"{count} entries",
        )

    async def until_the_end(self) -> str:
        """What it said at its end."""
        await eventually(self._has_ended, within_s=RUN_S, every_s=0.05, what="the import has ended")
        out, err = await self._process.communicate()
        assert self._process.returncode == 0, err.decode()
        return out.decode()

    async def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        await self._process.wait()

    async def _has(self, channel: str, count: int) -> bool:
        self._watch()
        return (await self._there.client.page(channel, limit=1)).head >= count

    def _has_ended(self) -> bool:
        self._watch()
        return self._process.returncode is not None

    def _watch(self) -> None:
        self.peak_kib = max(self.peak_kib, _peak_kib(self._process))


async def _begun(there: Deployment, file: Path, channel: str) -> _Run:
    return _Run(there, await there.start("import", file, "--channel", channel, "--json"))


async def test_a_hundred_thousand_messages_are_imported_in_constant_memory_whatever_kills_it(
    tmp_path: Path, figures: list[str]
) -> None:
    dice = random.Random(SEED)
    few, many = _sample(tmp_path, FEW), _sample(tmp_path, MANY)
    moments = sorted(dice.sample(range(MANY // 50, MANY * 9 // 10), KILLS))
    async with deployed(tmp_path / "own") as there:
        small = (await there.client.create_channel("Few")).id
        quiet = await _begun(there, few, small)
        began = time.monotonic()
        await quiet.until_the_end()
        rate = await _is_whole(there, small, few) / (time.monotonic() - began)

        large = (await there.client.create_channel("Many")).id
        peaks, began = [], time.monotonic()
        for moment in moments:
            run = await _begun(there, many, large)
            await run.until(large, moment)
            await run.kill()
            peaks.append(run.peak_kib)
        last = await _begun(there, many, large)
        await last.until_the_end()
        took_s = time.monotonic() - began
        entries = await _is_whole(there, large, many)
    peak_kib = max(*peaks, last.peak_kib)
    figures.append(
        f"import of {MANY} messages ({many.stat().st_size >> 20} MiB, {KILLS} kills): {entries} "
        f"entries in {took_s:.0f} s, 0 twice, 0 missing; {FEW} alone: {rate:.0f} entries a second; "
        f"peak {peak_kib >> 10} MiB, of {FEW} messages {quiet.peak_kib >> 10} MiB"
    )
    assert 0 < peak_kib <= quiet.peak_kib + GROWTH_KIB
