"""What runs side by side ends together, also when a driver loses a cancel."""

import asyncio
import gc
from contextlib import suppress

import pytest

from libs.runtime.tasks import until_one_ends
from libs.testing.eventually import eventually

SOON_S = 10.0


class Stubborn:
    """Work that loses the first so many cancels."""

    def __init__(self, loses: int) -> None:
        self.left = loses
        self.has_begun = asyncio.Event()
        self.has_ended = False

    async def run(self) -> None:
        self.has_begun.set()
        try:
            while await self._is_to_stay():
                pass
        finally:
            self.has_ended = True

    async def _is_to_stay(self) -> bool:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.left -= 1
            if self.left < 0:
                raise
        return True


async def fails() -> None:
    raise ValueError("one of them")


async def ends() -> None:
    return None


async def test_the_fault_of_one_ends_the_others_and_comes_out() -> None:
    other = Stubborn(loses=2)
    with pytest.raises(ValueError, match="one of them"):
        await until_one_ends(other.run(), fails(), name="test")
    assert other.has_ended


async def test_of_two_faults_one_comes_out_and_none_is_left_unnoticed() -> None:
    unnoticed: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unnoticed.append(context))
    with pytest.raises(ValueError, match="one of them"):
        await until_one_ends(fails(), fails(), name="test")
    gc.collect()
    assert not unnoticed


async def test_the_end_of_one_ends_the_others() -> None:
    other = Stubborn(loses=0)
    await until_one_ends(other.run(), ends(), name="test")
    assert other.has_ended


@pytest.mark.parametrize("loses", [0, 1, 3])
async def test_a_cancel_is_repeated_until_all_have_ended(loses: int) -> None:
    one, other = Stubborn(loses), Stubborn(loses)
    both = asyncio.create_task(until_one_ends(one.run(), other.run(), name="test"))
    await asyncio.gather(one.has_begun.wait(), other.has_begun.wait())

    async def cancelled() -> bool:
        # Again and again, as a process that ends does.
        both.cancel()
        await asyncio.wait({both}, timeout=0)
        return both.done()

    await eventually(cancelled, within_s=SOON_S, what="the end")
    assert both.cancelled()
    assert one.has_ended
    assert other.has_ended


async def test_a_fault_that_comes_with_a_cancel_is_not_reported_as_overlooked() -> None:
    """Seed 166121338 of the views' simulation: the process ended while one of them failed."""
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: reported.append(told))
    await _cancelled_with_a_fault()
    # The frames that the cancel came through hold the tasks until the loop has gone on.
    await asyncio.sleep(0)
    gc.collect()
    assert reported == []


async def _cancelled_with_a_fault() -> None:
    other = Stubborn(loses=0)
    both = asyncio.create_task(until_one_ends(other.run(), fails(), name="test"))
    await other.has_begun.wait()
    both.cancel()
    with suppress(asyncio.CancelledError):
        await both
