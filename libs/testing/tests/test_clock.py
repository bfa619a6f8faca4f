import asyncio

import pytest

from libs.runtime.clock import Clock
from libs.testing.clock import START_MS, LoopClock, VirtualClock
from libs.testing.eventually import eventually
from libs.testing.scheduler import run


async def _asleep(clock: VirtualClock, sleepers: int) -> None:
    await eventually(lambda: clock.sleeping() == sleepers, within_s=5, what=f"{sleepers} asleep")


async def test_sleepers_wake_in_the_order_of_their_time() -> None:
    clock, woken = VirtualClock(), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.TaskGroup() as group:
        for seconds in (3.0, 1.0, 2.0, 1.0):
            group.create_task(sleeper(seconds))
        await _asleep(clock, 4)
        clock.advance(3.0)
    assert woken == [1.0, 1.0, 2.0, 3.0]


async def test_nobody_wakes_before_its_time() -> None:
    clock = VirtualClock()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(clock.sleep(2.0))
        await _asleep(clock, 1)
        await clock.elapse(1.999)
        assert not task.done()
        await clock.elapse(0.001)
        assert task.done()


async def test_a_periodic_sleeper_runs_at_each_of_its_moments_while_time_elapses() -> None:
    clock, moments = VirtualClock(), []

    async def periodic() -> None:
        while True:
            await clock.sleep(1.0)
            moments.append(clock.monotonic())

    task = asyncio.get_running_loop().create_task(periodic())
    await clock.elapse(5.5)
    assert moments == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert clock.monotonic() == 5.5
    task.cancel()


async def test_a_cancelled_sleeper_is_passed_over() -> None:
    clock = VirtualClock()
    task = asyncio.get_running_loop().create_task(clock.sleep(1.0))
    await _asleep(clock, 1)
    task.cancel()
    await _asleep(clock, 0)
    clock.advance(2.0)
    assert clock.monotonic() == 2.0
    with pytest.raises(asyncio.CancelledError):
        await task


def test_wall_time_and_monotonic_time_move_together_and_never_back() -> None:
    clock = VirtualClock()
    clock.advance(1.25)
    assert (clock.now_ms(), clock.monotonic()) == (START_MS + 1250, 1.25)
    with pytest.raises(ValueError, match="go back"):
        clock.advance(-1)


async def test_sleeping_for_nothing_returns() -> None:
    await VirtualClock().sleep(0)


def test_a_loop_clock_shows_the_time_of_the_loop() -> None:
    async def main() -> tuple[int, float]:
        clock: Clock = LoopClock()
        await clock.sleep(60.5)
        return clock.now_ms(), clock.monotonic()

    assert run(1, main) == (START_MS + 60_500, 60.5)


def test_a_virtual_clock_is_a_clock() -> None:
    clock: Clock = VirtualClock()
    assert clock.now_ms() == START_MS
