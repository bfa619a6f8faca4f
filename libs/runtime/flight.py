"""One call for all who want the same thing at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from libs.runtime.tasks import Tasks

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Flight(Generic[K, V]):
    """Shares running calls by key. Nothing is remembered once a call has ended."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._running: dict[K, asyncio.Future[V]] = {}

    async def join(self, key: K, call: Callable[[], Awaitable[V]]) -> V:
        """The result of `call`, or of the one that already runs for `key`; its errors are shared.

        A caller that goes away does not take the call from the others."""
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.get_running_loop().create_future()
            self._tasks.spawn(self._fly(key, call, running), name=f"flight {key}")
        return await asyncio.shield(running)

    async def _fly(
        self, key: K, call: Callable[[], Awaitable[V]], landing: "asyncio.Future[V]"
    ) -> None:
        try:
            result = await call()
        except asyncio.CancelledError:
            landing.cancel()
            raise
        except Exception as fault:
            landing.set_exception(fault)
            # Everybody may have gone; an error that nobody fetched is no news.
            landing.exception()
        else:
            landing.set_result(result)
        finally:
            del self._running[key]
