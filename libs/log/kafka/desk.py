"""Threads for calls that block: so many at a time, so many that wait, and each for so long.

The driver's own bounds are not to be trusted: a commit to a broker that stands still was seen to
block for more than a minute. The threads are daemons, so one that is stuck holds up nobody's end.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from confluent_kafka import KafkaException

from libs.log.kafka.errors import error_of, of_ask
from libs.log.kafka.handover import HandOver
from libs.log.port import LogUnavailable

T = TypeVar("T")

# Over the driver's own deadline for a question, which says more about what is wrong.
CALL_S = 10.0
# What is not ended by then is left to itself.
CLOSE_S = 5.0


class _Answered(NamedTuple):
    answer: "asyncio.Future[Any]"
    value: object
    error: BaseException | None


class Desk:
    """Does blocking calls of the driver and translates what they raise. Belongs to the running
    loop."""

    def __init__(self, name: str, *, threads: int, waiting_max: int) -> None:
        self._name = name
        self._room = threads + waiting_max
        self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self._answers = HandOver[_Answered](self._loop, self._answered)
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._ended = [self._loop.create_future() for _ in range(threads)]
        for ended in self._ended:
            threading.Thread(target=self._work, args=(ended,), name=name, daemon=True).start()

    def begin(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        """The answer to come; it comes also when nobody waits for it. Raises `LogUnavailable` when
        too many wait or all is closed."""
        if self._is_closed:
            raise LogUnavailable("the log is closed")
        if self._room == 0:
            raise LogUnavailable(f"too many calls wait for {self._name}")
        self._room -= 1
        answer: asyncio.Future[T] = self._loop.create_future()

        def job() -> None:
            value, error = _outcome(call)
            self._answers.put(_Answered(answer, value, error))

        self._calls.put(job)
        return answer

    async def do(self, call: Callable[[], T], *, within_s: float = CALL_S) -> T:
        """The call's answer. Raises `LogUnavailable` and what the call raises."""
        try:
            async with asyncio.timeout(within_s):
                return await self.begin(call)
        except TimeoutError as error:
            raise LogUnavailable(f"{self._name}: no answer within {within_s:.0f} s") from error

    async def close(self) -> None:
        """No more calls; returns when those under way have ended, at the latest after `CLOSE_S`.
        Who closes a second time waits no more."""
        if self._is_closed:
            return
        self._is_closed = True
        for _ in self._ended:
            self._calls.put(None)
        await asyncio.wait(self._ended, timeout=CLOSE_S)

    def _work(self, ended: "asyncio.Future[None]") -> None:
        while (job := self._calls.get()) is not None:
            job()
        self._answers.put(_Answered(ended, None, None))

    def _answered(self, answered: Sequence[_Answered]) -> None:
        self._room += len(answered)
        for answer, value, error in answered:
            if answer.done():
                continue
            if error is None:
                answer.set_result(value)
                continue
            answer.set_exception(error)
            # Looked at, so that nobody is warned when the caller has left.
            answer.exception()


def _outcome(call: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    try:
        return call(), None
    except KafkaException as raised:
        error = of_ask(error_of(raised))
        error.__cause__ = raised
        return None, error
    except BaseException as raised:
        return None, raised
