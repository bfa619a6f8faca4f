"""Threads for calls that block: so many at a time, and so many that wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from confluent_kafka import KafkaException

from libs.log.kafka.errors import error_of, of_ask
from libs.log.port import LogUnavailable

T = TypeVar("T")


class Desk:
    """Does blocking calls of the driver and translates what they raise."""

    def __init__(self, name: str, *, threads: int, waiting_max: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._name = name
        self._room = threads + waiting_max
        self._is_closed = False

    async def do(self, call: Callable[[], T]) -> T:
        """The call's answer. Raises `LogUnavailable` when too many wait or all is closed, and what
        the call raises. A cancelled caller leaves the call to end by its own deadline."""
        if self._is_closed:
            raise LogUnavailable("the log is closed")
        if self._room == 0:
            raise LogUnavailable(f"too many calls wait for the {self._name}")
        self._room -= 1
        doing = asyncio.get_running_loop().run_in_executor(self._threads, call)
        doing.add_done_callback(self._done)
        try:
            return await asyncio.shield(doing)
        except KafkaException as raised:
            raise of_ask(error_of(raised)) from raised

    async def close(self) -> None:
        """No more calls; returns when those under way have ended."""
        self._is_closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._threads.shutdown)

    def _done(self, doing: "asyncio.Future[T]") -> None:
        self._room += 1
        # A cancelled caller does not ask for it; the error is told to nobody on purpose.
        if not doing.cancelled():
            doing.exception()
