"""Servers of tests that live in a thread, beside the program that asks them."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

READY_S = 10.0
LAST_TURNS = 3


class InThread(ABC):
    """Listens on a port of loopback from its entering to its leaving."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(READY_S), "the server listens"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(READY_S)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._port}"

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Have it do something, and return when it is done."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(READY_S)

    @abstractmethod
    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection."""

    @abstractmethod
    def leave(self) -> None:
        """It listens no more: close what is open."""

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        server = await asyncio.start_server(self.meet, "127.0.0.1", 0, backlog=1_000)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        # Who was let in a moment ago begins, and is left with the others.
        for _ in range(LAST_TURNS):
            await asyncio.sleep(0)
        self.leave()
