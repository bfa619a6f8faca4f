import asyncio

import pytest

from libs.testing.scheduler import Deadlock, StepsExhausted, run

SEEDS = range(30)


async def _trace() -> list[str]:
    """Three tasks that write down when they run, and one that is cancelled with its group."""
    trace: list[str] = []

    async def writer(name: str) -> None:
        for turn in range(3):
            trace.append(f"{name}{turn}")
            await asyncio.sleep(0)

    async def waiter(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            trace.append(f"{name} ends")

    async def breaker() -> None:
        await asyncio.sleep(1)
        raise ValueError("ends the group")

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(writer(name))
                group.create_task(waiter(name))
            group.create_task(breaker())

    with pytest.raises(ExceptionGroup):
        await all_of_them()
    return trace


def test_one_seed_is_one_trace() -> None:
    for seed in SEEDS:
        assert run(seed, _trace) == run(seed, _trace)


def test_seeds_give_different_traces() -> None:
    assert len({tuple(run(seed, _trace)) for seed in SEEDS}) > len(SEEDS) // 2


async def _lost_update() -> int:
    """Reads, waits for a turn, writes: right only if nobody else runs in between."""
    total = 0

    async def add(turns: int) -> None:
        nonlocal total
        for _ in range(turns):
            await asyncio.sleep(0)
        seen = total
        await asyncio.sleep(0)
        total = seen + 1

    await asyncio.gather(add(0), add(2))
    return total


def test_an_order_that_breaks_a_program_is_found_though_asyncio_never_shows_it() -> None:
    assert {asyncio.run(_lost_update()) for _ in range(3)} == {2}
    assert {run(seed, _lost_update) for seed in SEEDS} == {1, 2}


def test_timers_fire_in_the_order_of_time_and_nobody_waits() -> None:
    async def main() -> list[tuple[float, float]]:
        loop = asyncio.get_running_loop()
        fired: list[tuple[float, float]] = []

        def fire(delay: float) -> None:
            fired.append((delay, loop.time()))

        for delay in (3600.0, 0.5, 7.0, 0.0, 7.5):
            loop.call_later(delay, fire, delay)
        await asyncio.sleep(4000)
        return fired

    for seed in SEEDS:
        fired = run(seed, main)
        assert [at for _, at in fired] == [0.0, 0.5, 7.0, 7.5, 3600.0]
        assert all(delay == at for delay, at in fired)


def test_a_cancelled_timer_does_not_fire_and_time_does_not_jump_to_it() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(50, pytest.fail, "it fired").cancel()
        loop.call_soon(pytest.fail, "it ran").cancel()
        await asyncio.sleep(1)
        return loop.time()

    assert run(1, main) == 1.0


def test_a_deadlock_is_told_with_the_tasks_that_wait() -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.Event().wait(), name="for ever")

    with pytest.raises(Deadlock, match=r"(?s)task-0 at .*test_scheduler.py:.*for ever at"):
        run(1, main)


def test_what_spins_reaches_the_bound_of_steps() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            loop.call_soon(again)

        again()
        await asyncio.Event().wait()

    with pytest.raises(StepsExhausted, match="1000 steps"):
        run(1, main, steps_max=1000)
