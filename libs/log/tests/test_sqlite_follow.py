"""A tail cancelled at any of its awaits misses nothing."""

import asyncio
from collections.abc import Iterable, Mapping

import pytest

from libs.log.port import Ends, Partition, Stored
from libs.log.sqlite.follow import Follower, FollowerTail, Wakes
from libs.log.sqlite.statements import Page

PARTITION = Partition("t", 0)
RECORD = Stored(PARTITION, 0, 1, b"", b"x")


class Held:
    """Answers of a log with one record; the call of a given number is never answered."""

    def __init__(self, number: int = 0) -> None:
        self.is_held = asyncio.Event()
        self._until = number

    async def page_of(self, partition: Partition, start: int) -> Page:
        await self._count()
        return Page([RECORD][start:], 1)

    async def ends_of(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        await self._count()
        return dict.fromkeys(partitions, Ends(0, 1))

    async def _count(self) -> None:
        self._until -= 1
        if self._until == 0:
            self.is_held.set()
            await asyncio.Event().wait()


@pytest.mark.parametrize("number", [1, 2], ids=["at the ends", "at the page"])
async def test_a_call_that_is_cancelled_is_made_again(number: int) -> None:
    held = Held(number)
    tail = FollowerTail(follower := Follower(Wakes(), held.page_of, held.ends_of))
    follower.start({PARTITION: 0})
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_next(tail))
        await held.is_held.wait()
        waiting.cancel()
    async with asyncio.timeout(10):
        assert await _next(tail) == [RECORD]


async def _next(tail: FollowerTail) -> list[Stored]:
    return list(await anext(tail))


def test_a_wake_reaches_only_who_follows_that_partition() -> None:
    wakes, held = Wakes(), Held()
    follower = Follower(wakes, held.page_of, held.ends_of)
    follower.start({PARTITION: 0})
    wakes.committed([Partition("t", 1)])
    assert not follower.changed.is_set()
    wakes.committed([PARTITION])
    assert follower.changed.is_set()
    follower.close()
    follower.changed.clear()
    wakes.committed([PARTITION])
    assert not follower.changed.is_set()
