"""The thread survives whatever a job does, and takes the whole batch back."""

import asyncio
import sqlite3

import pytest

from libs.log.port import NotWritten
from libs.log.sqlite.worker import Worker


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE numbers (number INTEGER)")
    return connection


def write(connection: sqlite3.Connection) -> int:
    connection.execute("INSERT INTO numbers VALUES (1)")
    (count,) = connection.execute("SELECT count(*) FROM numbers").fetchone()
    return int(count)


def fail(connection: sqlite3.Connection) -> int:
    raise ZeroDivisionError("a fault of ours")


async def test_a_job_that_fails_takes_its_batch_back_and_the_next_goes_on() -> None:
    worker = Worker(connect, begin="BEGIN")
    # Both wait when the thread begins, so they are one batch.
    both = asyncio.gather(worker.call(write), worker.call(fail), return_exceptions=True)
    await asyncio.sleep(0)
    await worker.start()
    async with asyncio.timeout(10):
        for answer in await both:
            assert isinstance(answer, NotWritten)
            assert "ZeroDivisionError: a fault of ours" in str(answer)
        assert await worker.call(write) == 1
        await worker.stop()


async def test_a_chore_that_fails_is_given_up_and_the_thread_goes_on() -> None:
    worker = Worker(connect, begin="BEGIN")
    worker.set_chore(lambda connection: bool(write(connection)) and bool(fail(connection)))
    await worker.start()
    async with asyncio.timeout(10):
        assert await worker.call(write) == 1
        assert await worker.call(write) == 2
        await worker.stop()


async def test_a_stopped_worker_refuses_and_stops_again() -> None:
    worker = Worker(connect, begin="BEGIN")
    await worker.stop()
    await worker.stop()
    with pytest.raises(NotWritten, match="closed"):
        await worker.call(write)
