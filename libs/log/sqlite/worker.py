"""A thread that owns one connection and runs all jobs that wait as one transaction.

The event loop hands jobs over and gets all answers of a transaction in one call back, so the cost
of an fsync and of waking the loop is shared by whatever waited (group commit).
"""

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from libs.log.port import LogError, NotWritten, OutcomeUnknown, Partition

T = TypeVar("T")

# What may wait: twenty transactions. Later ones would only wait until their callers gave up.
# Bytes are bounded as well, for records may be large (64 MiB: 1,000 posts of 64 KiB).
JOBS_MAX = 20_000
JOBS_BYTES_MAX = 64 << 20
# One transaction: large enough to share an fsync, small enough that nobody waits long for others.
BATCH_JOBS_MAX = 1_000

_logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Job:
    """Something to do with the connection. An `act` that raises a `LogError` wrote nothing."""

    act: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    held_bytes: int
    touches: Partition | None
    result: Any = None
    error: Exception | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        """Do it, in the worker's thread."""
        try:
            self.result = self.act(connection)
        except LogError as error:
            self.error = error

    def answer(self) -> None:
        """Tell the caller, in the loop's thread. A caller that was cancelled is not told."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Worker:
    """The thread. `begin` is its way to start a transaction; `answered` is called in the loop with
    each batch of jobs that ended. `commits` counts transactions that ended well."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        *,
        begin: str,
        answered: Callable[[Sequence[Job]], None] | None = None,
    ) -> None:
        self._connect = connect
        self._begin = begin
        self._answered = answered
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._gate = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._held_bytes = 0
        self._chore: Callable[[sqlite3.Connection], bool] | None = None
        self._stopping = False
        self._started = False
        self.commits = 0

    async def start(self) -> None:
        """Open the connection. Raises what `connect` raises."""
        opened: asyncio.Future[None] = self._loop.create_future()
        self._started = True
        # A daemon: a process that ends without `stop` must not hang, and a commit is never half.
        threading.Thread(target=self._main, args=(opened,), name="sqlite-log", daemon=True).start()
        await opened

    async def call(
        self,
        act: Callable[[sqlite3.Connection], T],
        *,
        held_bytes: int = 0,
        touches: Partition | None = None,
    ) -> T:
        """Have it done. Raises its `LogError`, or `NotWritten` or `OutcomeUnknown` for the batch;
        `NotWritten` at once when too much waits."""
        job = Job(act, self._loop.create_future(), held_bytes, touches)
        with self._gate:
            self._admit(job)
            self._gate.notify()
        result: T = await job.future
        return result

    def _admit(self, job: Job) -> None:
        if self._stopping:
            raise NotWritten("the log is closed")
        too_many = len(self._jobs) >= JOBS_MAX
        if too_many or self._held_bytes + job.held_bytes > JOBS_BYTES_MAX:
            raise NotWritten("the log is busy: too much waits to be written")
        self._jobs.append(job)
        self._held_bytes += job.held_bytes

    def set_chore(self, chore: Callable[[sqlite3.Connection], bool]) -> None:
        """Work for between the batches, a transaction per call, until it answers False."""
        with self._gate:
            self._chore = chore
            self._gate.notify()

    async def stop(self) -> None:
        """Do what waits, close the connection, end the thread. May be called twice, and also when
        `start` failed or never was."""
        with self._gate:
            self._stopping = True
            self._gate.notify()
        if self._started:
            await asyncio.shield(self._ended)

    def _main(self, opened: asyncio.Future[None]) -> None:
        try:
            connection = self._connect()
        except Exception as error:
            self._post(_settle, opened, error)
            self._post(_settle, self._ended, None)
            return
        self._post(_settle, opened, None)
        while self._wait():
            if jobs := self._take():
                self._run(connection, jobs)
                self._post(self._answer, jobs)
            if self._chore is not None and not self._stopping:
                self._run_chore(connection, self._chore)
        connection.close()
        self._post(_settle, self._ended, None)

    def _wait(self) -> bool:
        with self._gate:
            self._gate.wait_for(lambda: self._jobs or self._chore or self._stopping)
            return bool(self._jobs) or not self._stopping

    def _take(self) -> Sequence[Job]:
        with self._gate:
            jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), BATCH_JOBS_MAX))]
            self._held_bytes -= sum(job.held_bytes for job in jobs)
            return jobs

    def _run(self, connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
        committing = False
        try:
            connection.execute(self._begin)
            for job in jobs:
                job.run(connection)
            committing = True
            connection.execute("COMMIT")
            self.commits += 1
        except Exception as error:
            _roll_back(connection)
            kind = OutcomeUnknown if committing and not _is_full(error) else NotWritten
            for job in jobs:
                job.error = job.error or kind(_cause(error))

    def _run_chore(
        self, connection: sqlite3.Connection, chore: Callable[[sqlite3.Connection], bool]
    ) -> None:
        more = False
        try:
            connection.execute(self._begin)
            more = chore(connection)
            connection.execute("COMMIT")
        except Exception as error:
            _roll_back(connection)
            _logger.warning("the log could not be swept, again later: %s", _cause(error))
            more = False
        with self._gate:
            if not more and self._chore is chore:
                self._chore = None

    def _answer(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            job.answer()
        if self._answered is not None:
            self._answered(jobs)

    def _post(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            # The loop was closed without `stop`: nobody is left to be told.
            _logger.debug("an answer of the log found no event loop")


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _roll_back(connection: sqlite3.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        # The transaction is still open, so the next BEGIN fails and its batch comes here again.
        _logger.warning("the log could not roll back: %s", _cause(error))


def _is_full(error: Exception) -> bool:
    """A full disk at COMMIT leaves the commit frame incomplete, so nothing was written; after any
    other failure (an fsync, say) the frame may be on the disk and come back after a crash."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_FULL


def _cause(error: Exception) -> str:
    if _is_full(error):
        return f"disk full: {error}"
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return f"{name}: {error}"
