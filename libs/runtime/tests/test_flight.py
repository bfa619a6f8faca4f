"""One call for all who want the same at the same time."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from libs.runtime.flight import Flight
from libs.runtime.tasks import GroupTasks


class Call:
    """A call that ends when it is told to; counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.begun += 1
        return await self.answer


@pytest.fixture
async def tasks() -> AsyncIterator[GroupTasks]:
    async with asyncio.TaskGroup() as group:
        yield GroupTasks(group)


async def rounds() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_of_one_key_share_a_call_and_others_do_not(tasks: GroupTasks) -> None:
    flight: Flight[str, str] = Flight(tasks)
    one, other = Call(), Call()
    joined = [tasks.spawn(flight.join("a", one), name="join") for _ in range(5)]
    joined.append(tasks.spawn(flight.join("b", other), name="join"))
    await rounds()
    one.answer.set_result("one")
    other.answer.set_result("other")
    assert await asyncio.gather(*joined) == ["one"] * 5 + ["other"]
    assert (one.begun, other.begun) == (1, 1)


async def test_an_error_is_shared_and_the_key_is_free_afterwards(tasks: GroupTasks) -> None:
    flight: Flight[str, str] = Flight(tasks)
    call = Call()
    joined = asyncio.gather(*(flight.join("a", call) for _ in range(3)), return_exceptions=True)
    await rounds()
    call.answer.set_exception(KeyError("gone"))
    faults = await joined
    assert len(faults) == 3
    assert all(isinstance(fault, KeyError) for fault in faults)
    again = Call()
    again.answer.set_result("now")
    assert await flight.join("a", again) == "now"
    assert await flight.join("a", again) == "now"
    assert again.begun == 2


async def test_a_caller_that_goes_does_not_take_the_call_from_the_others(tasks: GroupTasks) -> None:
    flight: Flight[str, str] = Flight(tasks)
    call = Call()
    first = tasks.spawn(flight.join("a", call), name="first")
    second = tasks.spawn(flight.join("a", call), name="second")
    await rounds()
    first.cancel()
    await rounds()
    assert first.cancelled()
    call.answer.set_result("here")
    assert await second == "here"
    assert call.begun == 1


async def test_an_error_that_nobody_fetches_is_no_news(tasks: GroupTasks) -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    flight: Flight[str, str] = Flight(tasks)
    call = Call()
    only = tasks.spawn(flight.join("a", call), name="only")
    await rounds()
    only.cancel()
    await rounds()
    call.answer.set_exception(KeyError("gone"))
    await rounds()
    del only
    gc.collect()
    await rounds()
    assert told == []


async def test_a_cancelled_call_cancels_its_callers_and_frees_the_key(tasks: GroupTasks) -> None:
    flight: Flight[str, str] = Flight(tasks)
    call = Call()
    joined = tasks.spawn(flight.join("a", call), name="join")
    await rounds()
    call.answer.cancel()
    await rounds()
    assert joined.cancelled()
    again = Call()
    again.answer.set_result("now")
    assert await flight.join("a", again) == "now"
