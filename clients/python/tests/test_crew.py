"""Works side by side: the first error is told, nothing is left behind, and no cancel is lost."""

import asyncio
import contextlib

import pytest

from rostrum.following.crew import Crew, until_one_ends


async def fails(after: asyncio.Event | None = None) -> None:
    if after is not None:
        await after.wait()
    raise ValueError("so it is")


async def ends() -> None:
    return


class Stubborn:
    """A work that swallows its first cancels."""

    def __init__(self, swallows: int) -> None:
        self.left = swallows
        self.has_ended = False
        self.was_cancelled = asyncio.Event()

    async def work(self) -> None:
        while self.left >= 0:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.left -= 1
                self.was_cancelled.set()
        self.has_ended = True


async def test_the_first_that_ends_ends_all() -> None:
    other = Stubborn(0)
    await until_one_ends(ends(), other.work())
    assert other.has_ended


async def test_what_one_raises_is_raised_not_in_a_group() -> None:
    other = Stubborn(0)
    with pytest.raises(ValueError, match="so it is"):
        await until_one_ends(fails(), other.work())
    assert other.has_ended


async def test_of_an_end_and_an_error_at_once_the_error_counts() -> None:
    with pytest.raises(ValueError, match="so it is"):
        await until_one_ends(ends(), fails())


async def test_who_swallows_a_cancel_is_cancelled_again() -> None:
    other = Stubborn(2)
    await until_one_ends(ends(), other.work())
    assert other.has_ended


@pytest.mark.parametrize("is_fault", [True, False])
async def test_a_cancel_that_comes_with_an_end_is_not_lost(*, is_fault: bool) -> None:
    """Both in the same turn of the loop, in either order."""
    for cancels_first in (True, False):
        both = asyncio.Event()
        work = fails(both) if is_fault else waits(both)
        task = asyncio.ensure_future(until_one_ends(work, Stubborn(0).work()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if cancels_first:
            task.cancel()
            both.set()
        else:
            both.set()
            task.cancel()
        with contextlib.suppress(ValueError):
            await asyncio.wait({task})
        assert task.cancelled()


async def waits(after: asyncio.Event) -> None:
    await after.wait()


async def test_a_cancel_while_the_others_end_is_not_lost() -> None:
    other = Stubborn(1)
    task = asyncio.ensure_future(until_one_ends(ends(), other.work()))
    await other.was_cancelled.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert other.has_ended


async def test_some_may_end_when_one_that_fails_is_waited_for() -> None:
    failing = asyncio.Event()
    async with Crew() as crew:
        crew.start(ends())
        crew.start(fails(failing))
        waiting = asyncio.ensure_future(crew.until_one_fails())
        await asyncio.sleep(0)
        assert not waiting.done()
        failing.set()
        with pytest.raises(ValueError, match="so it is"):
            await waiting


async def test_a_work_that_somebody_else_cancels_is_told() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError, match="leave a follower before you leave its client"):
        await until_one_ends(cancelled(), Stubborn(0).work())
