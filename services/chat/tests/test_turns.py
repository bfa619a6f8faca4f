"""Who came first begins first; who leaves the queue opens no gap for others."""

import asyncio

from services.chat.turns import Turn, Turns


async def _begin(turn: Turn, name: str, begun: list[str]) -> None:
    await turn.come()
    turn.end()
    begun.append(name)


async def test_turns_come_in_order_although_the_last_is_ready_first() -> None:
    turns, begun = Turns(), list[str]()
    queue = [turns.take("c") for _ in range(3)]
    async with asyncio.TaskGroup() as group:
        for place in (2, 1, 0):
            group.create_task(_begin(queue[place], str(place), begun))
    assert begun == ["0", "1", "2"]


async def test_who_leaves_lets_nobody_overtake_those_before() -> None:
    turns, begun = Turns(), list[str]()
    first, left, last = (turns.take("c") for _ in range(3))
    left.end()
    left.end()
    waiting = asyncio.create_task(_begin(last, "last", begun))
    await asyncio.sleep(0)
    await _begin(first, "first", begun)
    await waiting
    assert begun == ["first", "last"]


async def test_channels_do_not_wait_for_each_other_and_nothing_is_left() -> None:
    turns, begun = Turns(), list[str]()
    held, free = turns.take("c"), turns.take("d")
    await _begin(free, "d", begun)
    assert begun == ["d"]
    held.end()
    await asyncio.sleep(0)
    assert len(turns) == 0


async def test_a_waiter_that_is_cancelled_takes_nobody_with_it() -> None:
    turns, begun = Turns(), list[str]()
    first, second = turns.take("c"), turns.take("c")
    waiting = asyncio.create_task(second.come())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    second.end()
    third = turns.take("c")
    await _begin(first, "first", begun)
    await _begin(third, "third", begun)
    assert begun == ["first", "third"]
