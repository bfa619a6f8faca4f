"""An event loop for simulations: time is virtual, and a seed decides who runs next.

asyncio's own loop runs what is ready first come, first served, so a test sees one interleaving.
This one picks at random among all that is ready: one seed is one trace, and many seeds find the
orders that break a program. No thread, no socket, no real waiting: when nothing is ready, time
jumps to the next timer; when there is none, that is a `Deadlock`.

Tasks hash by the order of their making, because asyncio keeps them in sets and walks these. A
program that walks sets of strings of its own needs PYTHONHASHSEED for the same trace in another
process.
"""

import asyncio
import heapq
import logging
import random
import sys
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from functools import partial
from itertools import count
from typing import Any, TypeVar, TypeVarTuple

from libs.testing.systemless import WithoutSystem

T = TypeVar("T")
Args = TypeVarTuple("Args")

# More than any simulation of ours takes; what goes on beyond it spins without letting time pass.
STEPS_MAX = 1_000_000

_log = logging.getLogger(__name__)
_Faults = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


class Deadlock(RuntimeError):
    """Nothing is ready and no timer is set, but what should end has not; lists what waits where."""


class StepsExhausted(RuntimeError):
    """The bound of steps was reached before the end."""


class _Call(asyncio.TimerHandle):
    """A callback in its context, to be run at a time or as soon as the dice say."""

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        loop: "SeededLoop",
        context: Context | None,
    ) -> None:
        context = copy_context() if context is None else context
        super().__init__(when, callback, args, loop, context)
        self._work = partial(context.run, callback, *args)

    def run(self) -> None:
        self._work()


class _Task(asyncio.Task[T]):
    """A task whose hash is its number, not its address: sets of tasks are walked alike each run."""

    def __init__(self, coro: Coroutine[Any, Any, T], *, number: int, **more: Any) -> None:
        self.number = number
        super().__init__(coro, **more)

    def __hash__(self) -> int:
        return self.number


class SeededLoop(WithoutSystem):
    """See the module. `steps_max` bounds each run; `time` begins at 0.

    `faults` gathers what was given to the exception handler while none was set.
    """

    def __init__(self, seed: int, *, steps_max: int = STEPS_MAX) -> None:
        self.faults: list[dict[str, Any]] = []
        self._dice = random.Random(seed)
        self._steps_max = steps_max
        self._now = 0.0
        self._ready: list[_Call] = []
        self._timers: list[tuple[float, int, _Call]] = []
        self._numbers = count()
        self._generators: weakref.WeakValueDictionary[int, AsyncGenerator[Any, Any]] = (
            weakref.WeakValueDictionary()
        )
        self._running = self._stopping = self._closed = self._debug = False
        self._handler: _Faults | None = None

    def step(self) -> bool:
        """Run exactly one callback that is ready, jumping in time if none is; False if there is
        none at all."""
        with self._installed():
            return self._step()

    def run_until_complete(self, future: Any) -> Any:
        """The result of a coroutine or future. Raises `Deadlock`, `StepsExhausted`."""
        task = asyncio.ensure_future(future, loop=self)
        try:
            self._run(task.done)
        except BaseException:
            if task.done() and not task.cancelled():
                task.exception()  # It is on its way up already: not "never retrieved" as well.
            raise
        if not task.done():
            raise RuntimeError("the loop was stopped before the future was done")
        return task.result()

    def run_forever(self) -> None:
        """Run until `stop`. Raises `Deadlock`, `StepsExhausted`."""
        self._run(lambda: False)

    def stop(self) -> None:
        """Return from the run after the present callback."""
        self._stopping = True

    def is_running(self) -> bool:
        """Whether a run or step is under way."""
        return self._running

    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Forget all that is scheduled. What runs cannot be closed."""
        if self._running:
            raise RuntimeError("a running loop cannot be closed")
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def call_soon(
        self, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        """Make a callback ready: it runs before time goes on, in an order that the seed decides."""
        return self._add(_Call(self._now, callback, *args, loop=self, context=context))

    def call_soon_threadsafe(
        self, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        """The same as `call_soon`, for there are no threads."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Make a callback ready after `delay` seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Make a callback ready at a time of this loop."""
        return self._add(_Call(when, callback, *args, loop=self, context=context))

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        """A task of this loop; unnamed ones are called by their number."""
        self._check_open()
        number = next(self._numbers)
        name = f"task-{number}" if name is None else name
        return _Task(coro, number=number, loop=self, name=name, context=context)

    def get_debug(self) -> bool:
        """Whether asyncio's own checks are on."""
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        """Turn asyncio's own checks on or off."""
        self._debug = enabled

    def get_exception_handler(self) -> _Faults | None:
        """The handler that was set, if any."""
        return self._handler

    def set_exception_handler(self, handler: _Faults | None) -> None:
        """Give what nobody catches to `handler`."""
        self._handler = handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Something failed where nobody could catch it."""
        if self._handler is None:
            self.default_exception_handler(context)
        else:
            self._handler(self, context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Gather the failure in `faults`, and log it."""
        self.faults.append(context)
        _log.error("%s", context.get("message"), exc_info=context.get("exception"))

    async def shutdown_asyncgens(self) -> None:
        """Close the generators that are still open, in the order in which they were begun."""
        for number in sorted(self._generators):
            generator = self._generators.get(number)
            if generator is not None:
                await generator.aclose()

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is none."""

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """asyncio says that a timer was cancelled; it is passed over when its time comes."""

    def _add(self, call: _Call) -> _Call:
        self._check_open()
        if call.when() <= self._now:
            self._ready.append(call)
        else:
            heapq.heappush(self._timers, (call.when(), next(self._numbers), call))
        return call

    def _run(self, done: Callable[[], bool]) -> None:
        with self._installed():
            for _ in range(self._steps_max):
                if done() or self._stopping:
                    return
                if not self._step():
                    raise Deadlock(
                        f"nothing can happen any more at {self._now} s:{self._waiting()}"
                    )
            if not done():
                raise StepsExhausted(f"{self._steps_max} steps, at {self._now} s:{self._waiting()}")

    def _step(self) -> bool:
        call = self._next()
        if call is None:
            return False
        try:
            call.run()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as fault:
            self.call_exception_handler({"message": f"fault in {call}", "exception": fault})
        return True

    def _next(self) -> _Call | None:
        """Take any callback that is ready; if none is, after a jump to the next timer."""
        while self._ready or self._jump():
            ready = len(self._ready)
            # Mostly one is ready: a draw costs as much as the step itself.
            chosen = self._dice.randrange(ready) if ready > 1 else 0
            self._ready[chosen], self._ready[-1] = self._ready[-1], self._ready[chosen]
            call = self._ready.pop()
            if not call.cancelled():
                return call
        return None

    def _jump(self) -> bool:
        """Go to the time of the next timer; all that are set for that time become ready."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            return False
        self._now = self._timers[0][0]
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])
        return True

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the loop is closed")

    @contextmanager
    def _installed(self) -> Iterator[None]:
        """Be this thread's running loop meanwhile, and know of the generators that are begun."""
        self._check_open()
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("another loop is running in this thread")
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._begun, finalizer=self._abandoned)
        asyncio._set_running_loop(self)
        self._running, self._stopping = True, False
        try:
            yield
        finally:
            self._running = False
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _begun(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generators[next(self._numbers)] = generator

    def _abandoned(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.call_soon(self.create_task, generator.aclose())

    def _waiting(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=hash)
        return "".join(f"\n  {task.get_name()} at {_place(task)}" for task in tasks) or " no task"


def run(seed: int, main: Callable[[], Coroutine[Any, Any, T]], *, steps_max: int = STEPS_MAX) -> T:
    """What `main` returns on a fresh `SeededLoop`. For tests that are not async themselves.

    Raises what `main` raises, `Deadlock`, `StepsExhausted`, and `AssertionError` if something
    failed in a callback, or in a task that nobody asked for its result.
    """
    loop = SeededLoop(seed, steps_max=steps_max)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(main())
    if loop.faults:
        fault = loop.faults[0]
        raise AssertionError(f"unnoticed: {fault.get('message')}") from fault.get("exception")
    return result


def _place(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    return "its start" if not frames else f"{frames[0].f_code.co_filename}:{frames[0].f_lineno}"
