import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.testing.scheduler import Deadlock, SeededLoop, run
from libs.testing.systemless import NeedsSystem

SEEDS = range(30)


def test_cancellation_reaches_the_task_and_its_cleaning_up_runs() -> None:
    async def main() -> list[str]:
        said: list[str] = []

        async def worker() -> None:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                said.append("cancelled")
                await asyncio.sleep(1)
                said.append("cleaned")
                raise

        task = asyncio.create_task(worker())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return said

    assert run(1, main) == ["cancelled", "cleaned"]


def test_locks_queues_conditions_timeouts_and_gather_work() -> None:
    async def main() -> list[int]:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
        lock, ready = asyncio.Lock(), asyncio.Condition()
        taken: list[int] = []

        async def produce(start: int) -> None:
            for number in range(start, start + 5):
                await queue.put(number)

        async def consume() -> None:
            while len(taken) < 10:
                async with lock:
                    taken.append(await queue.get())
            async with ready:
                ready.notify_all()

        async with asyncio.TaskGroup() as group, ready:
            group.create_task(consume())
            await asyncio.gather(produce(0), produce(5))
            await ready.wait_for(lambda: len(taken) == 10)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await queue.get()
        done, pending = await asyncio.wait(
            [asyncio.create_task(asyncio.sleep(s)) for s in (1, 9)], timeout=5
        )
        assert (len(done), len(pending)) == (1, 1)
        return taken

    for seed in SEEDS:
        assert sorted(run(seed, main)) == list(range(10))


def test_a_step_runs_exactly_one_callback() -> None:
    loop = SeededLoop(1)
    ran: list[int] = []
    for number in range(3):
        loop.call_soon(ran.append, number)
    loop.call_later(5, ran.append, 3)
    counts = []
    while loop.step():
        counts.append(len(ran))
    assert counts == [1, 2, 3, 4]
    assert ran[3] == 3
    assert loop.time() == 5
    assert not loop.is_running()
    loop.close()
    assert loop.is_closed()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_soon(ran.append, 4)


def test_stop_ends_a_run_after_the_present_callback() -> None:
    loop = SeededLoop(1)
    ran: list[str] = []
    loop.call_later(1, loop.stop)
    loop.call_later(2, ran.append, "later")
    loop.run_forever()
    assert ran == []
    with pytest.raises(Deadlock):
        loop.run_forever()
    assert ran == ["later"]
    loop.close()


def test_a_run_in_a_running_loop_is_refused() -> None:
    async def main() -> None:
        loop = SeededLoop(2)
        with pytest.raises(RuntimeError, match="another loop"):
            loop.step()

    run(1, main)


def test_a_failure_that_nobody_takes_fails_the_run() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(int, "no number")
        await asyncio.sleep(1)

    with pytest.raises(AssertionError, match="unnoticed"):
        run(1, main)


def test_a_handler_takes_what_nobody_caught() -> None:
    caught: list[object] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: caught.append(context["exception"]))
        loop.call_soon(int, "no number")
        await asyncio.sleep(1)

    run(1, main)
    assert [type(fault) for fault in caught] == [ValueError]


def test_what_main_raises_is_raised() -> None:
    async def main() -> None:
        await asyncio.sleep(1)
        raise KeyError("of main")

    with pytest.raises(KeyError, match="of main"):
        run(1, main)


def test_open_generators_are_closed_at_the_end() -> None:
    said: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)
            said.append("closed")

    async def main() -> AsyncIterator[int]:
        open_one = numbers()
        assert await anext(open_one) == 1
        return open_one

    run(1, main)
    assert said == ["closed"]


async def _refused(loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(NeedsSystem, match="create_connection"):
        await asyncio.open_connection("127.0.0.1", 1)
    with pytest.raises(NeedsSystem, match="run_in_executor"):
        await asyncio.to_thread(int)
    with pytest.raises(NeedsSystem, match="add_signal_handler"):
        loop.add_signal_handler(1, int)


def test_what_needs_the_system_is_refused_by_name() -> None:
    async def main() -> None:
        await _refused(asyncio.get_running_loop())

    run(1, main)


def test_every_public_call_of_a_loop_is_there_or_refused() -> None:
    public = {name for name in vars(asyncio.AbstractEventLoop) if not name.startswith("_")}
    ours = {name for kind in SeededLoop.__mro__[:2] for name in vars(kind)}
    assert public - ours == set()


@pytest.mark.parametrize("ends", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_ends_the_run_at_once(ends: type[BaseException]) -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(10))
            await asyncio.sleep(1)
            raise ends

    with pytest.raises(ends):
        run(1, main)
