"""Works side by side, with one owner, and no cancel that gets lost."""

import asyncio
from collections.abc import Coroutine
from typing import Any

# Code of others may lose a cancel that comes with a result: so tasks are cancelled until they end,
# again after so long.
CANCEL_AGAIN_S = 0.1


class Crew:
    """Tasks of one owner. Leaving it cancels them until each has ended.

    Not a plain `TaskGroup`: when one of its tasks fails in the moment in which its owner is
    cancelled, it raises the error and forgets the cancel, and the owner goes on for ever.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._living: set[asyncio.Task[None]] = set()
        self._faults: list[Exception] = []
        self._has_failed = asyncio.Event()
        self._has_ended = asyncio.Event()
        self._is_leaving = False

    async def __aenter__(self) -> "Crew":
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_leaving = True
        asked: asyncio.CancelledError | None = None
        while self._living:
            for task in self._living:
                task.cancel()
            try:
                await asyncio.wait(self._living, timeout=CANCEL_AGAIN_S)
            except asyncio.CancelledError as again:
                asked = again
        await self._group.__aexit__(None, None, None)
        if asked is not None:
            raise asked

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a work."""
        task = self._group.create_task(self._caught(work), name="rostrum: follower")
        self._living.add(task)
        task.add_done_callback(self._living.discard)

    async def until_one_fails(self) -> None:
        """Raises what the first one raised that failed."""
        await self._has_failed.wait()
        raise self._faults[0]

    async def until_one_ends(self) -> None:
        """Return when one has ended. Raises what one raised by then."""
        await self._has_ended.wait()
        if self._faults:
            raise self._faults[0]

    async def _caught(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            if not self._is_leaving:
                self._fail(RuntimeError("leave a follower before you leave its client"))
            raise
        except Exception as fault:
            self._fail(fault)
        finally:
            self._has_ended.set()

    def _fail(self, fault: Exception) -> None:
        self._faults.append(fault)
        self._has_failed.set()


async def until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run `works` until one of them ends, or the caller is cancelled; then the others are cancelled
    and have ended when this returns. Raises what the first one raised."""
    async with Crew() as crew:
        for work in works:
            crew.start(work)
        await crew.until_one_ends()
