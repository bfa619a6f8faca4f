"""Works side by side, with one owner and one error."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Never


class _Over(Exception):
    """One of several works has ended."""


async def until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run `works` until one of them ends, then cancel the others and wait for them. Raises what the
    first one raised, not in a group."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(_ending(work))
    except BaseExceptionGroup as faults:
        fault = first_of(faults)
    else:
        return
    if not isinstance(fault, _Over):
        raise fault


def first_of(faults: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that came first, out of groups in groups."""
    fault: BaseException = faults
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return fault


async def _ending(work: Coroutine[Any, Any, None]) -> Never:
    await work
    raise _Over
