"""Looking at an embedded log: while it is served, after kill -9, and when there is none."""

import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.log.open import open_inspection
from libs.log.port import Inspection, Log, LogUnavailable
from libs.log.sqlite import SqliteInspection, inspect_sqlite, open_sqlite
from libs.log.sqlite.inspection import LOOK_S
from libs.log.tests.appender import PARTITION
from libs.log.tests.inspecting import InspectionContract
from libs.log.tests.test_sqlite_disk import appender, line, now_ms
from libs.testing.eventually import eventually


class TestSqlite(InspectionContract):
    @pytest.fixture
    async def log(self, tmp_path: Path) -> AsyncIterator[Log]:
        log = await open_sqlite(str(tmp_path / "log.db"), now_ms=now_ms)
        yield log
        await log.close()

    @pytest.fixture
    async def seen(self, tmp_path: Path, log: Log) -> AsyncIterator[Inspection]:
        seen = await open_inspection(f"sqlite:///{tmp_path / 'log.db'}")
        yield seen
        await seen.close()


async def test_another_process_is_seen_while_it_appends_and_after_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with appender(path) as child:
        acknowledged = int(await line(child))
        seen = await inspect_sqlite(str(path))
        assert await _next(seen) > acknowledged

        async def goes_on() -> bool:
            return await _next(seen) > acknowledged + 100

        await eventually(goes_on, within_s=20, what="what is appended is seen")
        child.kill()
        rest, _ = await child.communicate()
    last = max(int(word) for word in rest.decode().split("\n")[:-1])
    assert await _next(seen) > last
    await seen.close()
    fresh = await inspect_sqlite(str(path))
    assert await _next(fresh) > last
    await fresh.close()


async def test_who_looks_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with appender(path) as child:
        await line(child)
        child.kill()
        await child.wait()
    seen = await inspect_sqlite(str(path))
    before = await _next(seen)
    log = await open_sqlite(str(path), now_ms=now_ms)
    assert (await log.append(PARTITION, b"more")).offset == before
    assert await _next(seen) == before + 1
    await log.close()
    await seen.close()


async def test_looking_changes_and_makes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    await (await open_sqlite(str(path), now_ms=now_ms)).close()
    before = path.read_bytes()
    (tmp_path / "log.db.lock").unlink()
    seen = await inspect_sqlite(str(path))
    with pytest.raises(LogUnavailable, match="readonly"):
        await seen._ask(lambda connection: connection.execute("DELETE FROM topics"))
    await seen.close()
    assert path.read_bytes() == before
    assert not (tmp_path / "log.db.lock").exists()


async def test_a_log_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match=r"there is no log at .*none\.db"):
        await open_inspection(f"sqlite:///{tmp_path / 'none.db'}")
    assert os.listdir(tmp_path) == []
    with pytest.raises(LogUnavailable, match="own process only"):
        await open_inspection("sqlite://:memory:")


async def test_a_file_of_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (x)")
    connection.close()
    with pytest.raises(LogUnavailable, match="not written by this version"):
        await inspect_sqlite(str(path))
    path.write_text("no database at all, but some words that are long enough to be a header" * 3)
    with pytest.raises(LogUnavailable, match="cannot be opened"):
        await inspect_sqlite(str(path))


async def test_a_url_of_no_form_is_refused() -> None:
    with pytest.raises(ValueError, match="names no log"):
        await open_inspection("redis://here")


def test_who_looks_looks_often_enough_to_follow() -> None:
    assert LOOK_S <= 0.2


async def _next(seen: SqliteInspection) -> int:
    return (await seen.ends([PARTITION]))[PARTITION].next
