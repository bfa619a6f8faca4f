"""From a thread that waits into an event loop that does not: the ground of `rostrum.sync`."""

import asyncio
import concurrent.futures
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

R = TypeVar("R")

# What was interrupted is cancelled, and has so long to end: closing a connection takes less.
CANCEL_S = 5.0
_END: Any = object()


class Portal:
    """An event loop in a thread of its own. Open it before use, in any thread, and close it."""

    def __init__(self, cancel_s: float = CANCEL_S) -> None:
        self._cancel_s = cancel_s
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin the loop."""
        began: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=self._live, args=(began,), name="rostrum", daemon=True
        )
        self._thread.start()
        self._loop = began.result()

    @property
    def is_open(self) -> bool:
        """Whether `run` may be called."""
        return self._thread is not None

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """The result of a coroutine. When the thread that waits is interrupted (Ctrl-C) the
        coroutine is cancelled, and has ended when this raises or `cancel_s` later."""
        if not self.is_open:
            work.close()
            raise RuntimeError("use the client inside of `with Client(...) as client:`")
        ended = threading.Event()
        future = asyncio.run_coroutine_threadsafe(_noted(work, ended), self._loop)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                ended.wait(self._cancel_s)
            raise

    def items(self, source: AsyncIterator[R]) -> Iterator[R]:
        """What an asynchronous iterator gives, one after the other."""
        try:
            while (item := self.run(_next(source))) is not _END:
                yield item
        finally:
            if self.is_open:
                self.run(_closed(source))

    def close(self) -> None:
        """End the loop and its thread. Whatever still runs in it is cancelled."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join()

    def _live(self, began: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        async def until_over() -> None:
            self._over = asyncio.Event()
            began.set_result(asyncio.get_running_loop())
            await self._over.wait()

        asyncio.run(until_over())


async def _noted(work: Coroutine[Any, Any, R], ended: threading.Event) -> R:
    try:
        return await work
    finally:
        ended.set()


async def _next(source: AsyncIterator[R]) -> R:
    return await anext(source, _END)


async def _closed(source: AsyncIterator[Any]) -> None:
    close = getattr(source, "aclose", None)
    if close is not None:
        await close()
