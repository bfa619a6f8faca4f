"""Whose turn it is."""

import asyncio

from services.gateway.turns import Turns

MOST = 3


async def test_so_many_go_on_in_a_turn_in_their_order() -> None:
    turns = Turns(MOST)
    went: list[int] = []

    async def go(number: int) -> None:
        await turns.mine()
        went.append(number)

    tasks = [asyncio.create_task(go(number)) for number in range(10)]
    most = 0
    while len(went) < len(tasks):
        before = len(went)
        await asyncio.sleep(0)
        most = max(most, len(went) - before)
    assert went == list(range(10))
    assert most == MOST


async def test_who_comes_to_nobody_does_not_wait() -> None:
    turns = Turns(MOST)
    for _ in range(3 * MOST):
        waiting = asyncio.create_task(turns.mine())
        await asyncio.sleep(0)
        assert waiting.done()
        await asyncio.sleep(0)


async def test_who_gave_up_takes_nobodys_turn() -> None:
    turns = Turns(1)
    first, given_up, last = (asyncio.create_task(turns.mine()) for _ in range(3))
    await asyncio.sleep(0)
    assert (first.done(), given_up.done(), last.done()) == (True, False, False)
    given_up.cancel()
    await asyncio.wait_for(last, 10)
