"""Copiers as processes of their own, and what they have copied."""

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

INTEGRATION = Path(__file__).parents[1]
CLIENT = INTEGRATION.parent / "clients" / "python" / "src"


class Row(NamedTuple):
    """An entry as it was copied."""

    id: int
    type: str
    text: str | None


class Copier:
    """A program that copies channels to a file, by the ways that it may take. Enter it to start it,
    kill it as often as you like."""

    def __init__(self, folder: Path, order: Mapping[str, object], ways: Sequence[str]) -> None:
        self.ways = tuple(ways)
        self.kills = 0
        self._path = folder / f"{'-'.join(ways)}.db"
        self._log = folder / f"{'-'.join(ways)}.log"
        self._order = {**order, "copy": str(self._path), "ways": list(ways)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, from where it was."""
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (INTEGRATION, CLIENT)))}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "harness.copier"),
                cwd=INTEGRATION,
                env=environ,
                stdin=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._order).encode() + b"\n")
        await self._process.stdin.drain()

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def kill_and_start(self) -> None:
        """kill -9, and again."""
        self.must_run()
        self.kills += 1
        await self.kill()
        await self.start()

    def must_run(self) -> None:
        """It did not end by itself."""
        assert self._process is not None
        assert self._process.returncode is None, self._log.read_text()[-4_000:]

    def rows(self, channel: str) -> list[Row]:
        """What it copied of a channel, in the order in which it did."""
        query = "select id, type, text from copies where channel = ? order by rowid"
        return [Row(*row) for row in self._read(query, channel)]

    def count(self) -> int:
        """Of how many entries, in all channels."""
        return sum(row[0] for row in self._read("select count(*) from copies"))

    def told(self) -> Counter[str]:
        """What its followers went through, all lives together."""
        told: Counter[str] = Counter()
        for (counts,) in self._read("select counts from lives"):
            told.update(json.loads(counts))
        return told

    def _read(self, query: str, *parameters: str) -> list[Any]:
        if not self._path.exists():
            return []
        with contextlib.closing(sqlite3.connect(self._path, timeout=10)) as db:
            return db.execute(query, parameters).fetchall()


@asynccontextmanager
async def copying(copiers: Sequence[Copier]) -> AsyncIterator[None]:
    """They run meanwhile."""
    try:
        for each in copiers:
            await each.start()
        yield
    finally:
        for each in copiers:
            await each.kill()
