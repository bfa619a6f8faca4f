"""The adapters under the contract."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from libs.log.contract import LogContract
from libs.log.faults import FaultyLog, Script
from libs.log.memory import MemoryLog
from libs.log.port import Log
from libs.log.sqlite import SqliteLog, open_sqlite


class StumblingClock:
    """Goes on, but every fifth reading is 3 ms back: a wall clock that is being corrected."""

    def __init__(self) -> None:
        self._readings = count(1)

    def __call__(self) -> int:
        reading = next(self._readings)
        return 1_000_000 + reading - 3 * (reading % 5 == 0)


class TestSqliteOnDisk(LogContract):
    @pytest.fixture
    async def log(self, tmp_path: Path) -> AsyncIterator[Log]:
        log = await open_sqlite(str(tmp_path / "log.db"), now_ms=StumblingClock())
        yield log
        await log.close()

    async def compact(self, log: Log) -> None:
        assert isinstance(log, SqliteLog)
        await log.sweep()


class TestSqliteInMemory(LogContract):
    @pytest.fixture
    async def log(self) -> AsyncIterator[Log]:
        log = await open_sqlite(":memory:", now_ms=StumblingClock())
        yield log
        await log.close()

    async def compact(self, log: Log) -> None:
        assert isinstance(log, SqliteLog)
        await log.sweep()


class TestMemory(LogContract):
    @pytest.fixture
    async def log(self) -> AsyncIterator[Log]:
        log = MemoryLog(StumblingClock())
        yield log
        await log.close()

    async def compact(self, log: Log) -> None:
        assert isinstance(log, MemoryLog)
        log.sweep()


class TestIdleFaults(LogContract):
    @pytest.fixture
    async def log(self) -> AsyncIterator[Log]:
        inner = await open_sqlite(":memory:", now_ms=StumblingClock())
        log = FaultyLog(inner, Script())
        yield log
        await log.close()
