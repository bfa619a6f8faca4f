"""What only a file can show: crashes, a second opener, a full disk, a failing disk, the bounds."""

import asyncio
import random
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from libs.log.open import open_log
from libs.log.port import (
    Appended,
    Ends,
    LogInUse,
    LogUnavailable,
    NotWritten,
    Partition,
    Stored,
)
from libs.log.sqlite import SqliteLog, open_sqlite
from libs.log.sqlite import worker as worker_module
from libs.log.tests.appender import PARTITION, TOPIC

ROOT = Path(__file__).parents[3]
ROUNDS = 4


def now_ms() -> int:
    return 1_000


@asynccontextmanager
async def opened(path: Path, bytes_max: int | None = None) -> AsyncIterator[SqliteLog]:
    log = await open_sqlite(str(path), now_ms=now_ms, bytes_max=bytes_max)
    try:
        await log.create_topics([TOPIC])
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def appender(path: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The other process; killed at the end whatever it does."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "libs.log.tests.appender", str(path), *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def line(child: asyncio.subprocess.Process) -> str:
    assert child.stdout is not None
    async with asyncio.timeout(30):
        return (await child.stdout.readline()).decode().strip()


async def everything(log: SqliteLog, partition: Partition = PARTITION) -> list[Stored]:
    stored: list[Stored] = []
    while page := await log.read(partition, len(stored), limit=1_000):
        stored.extend(page)
    return stored


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.law("L1")
async def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path, seed: int) -> None:
    acknowledged: set[int] = set()
    path = tmp_path / "log.db"
    for turn in range(2):
        async with appender(path) as child:
            # A seeded moment in the stream of acknowledgements, in the middle of commits.
            for _ in range(random.Random(seed * 2 + turn).randrange(1, 400)):
                acknowledged.add(int(await line(child)))
            child.kill()
            rest, _ = await child.communicate()
        # The last line may be cut off by the kill.
        acknowledged |= {int(word) for word in rest.decode().split("\n")[:-1]}
    async with opened(path) as log:
        stored = await everything(log)
        assert [record.offset for record in stored] == list(range(len(stored)))
        assert acknowledged <= {record.offset for record in stored}
        assert {record.value for record in stored} == {b"x" * 500}
        assert (await log.append(PARTITION, b"next")).offset == len(stored)


async def test_a_second_opener_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with appender(path) as child:
        await line(child)
        with pytest.raises(LogInUse, match=r"log\.db\.lock is held: another process .* stop the"):
            await open_sqlite(str(path), now_ms=now_ms)
    async with opened(path):
        with pytest.raises(LogInUse):
            await open_sqlite(str(path), now_ms=now_ms)
    async with opened(path):
        pass


async def fill(log: SqliteLog, values: list[bytes]) -> int:
    """How many are written before the disk is full."""
    for offset, value in enumerate(values):
        try:
            assert await log.append(PARTITION, value) == Appended(offset, 1_000)
        except NotWritten as error:
            assert "disk full" in str(error)  # noqa: PT017 - the answer of one of many
            return offset
    return len(values)


async def test_a_full_disk_writes_nothing_and_says_so_until_there_is_room(tmp_path: Path) -> None:
    async with opened(tmp_path / "log.db", bytes_max=400_000) as log:
        values = [bytes([number]) * 30_000 for number in range(30)]
        answers = await asyncio.gather(
            *(log.append(PARTITION, value) for value in values), return_exceptions=True
        )
        # What waits together fails together; one by one fills the rest.
        assert all(isinstance(answer, NotWritten) for answer in answers)
        count = await fill(log, values)
        assert 0 < count < len(values)
        assert [record.value for record in await everything(log)] == values[:count]
        assert await log.ends([PARTITION]) == {PARTITION: Ends(0, count)}
        await log.trim(PARTITION, count - 1)
        await log.sweep()
        assert (await log.append(PARTITION, values[0])).offset == count


async def test_a_failing_disk_is_unknown_and_the_log_goes_on_when_it_heals(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    acknowledged: list[str] = []
    async with appender(path, "300000") as child:
        while (said := await line(child)).isdigit():
            acknowledged.append(said)
        assert said.startswith("OutcomeUnknown SQLITE_IOERR_WRITE")
        assert child.stdin is not None
        child.stdin.write(b"heal\n")
        await child.stdin.drain()
        assert await line(child) == f"healed {len(acknowledged)}"
    async with opened(path) as log:
        stored = await everything(log)
    assert [str(record.offset) for record in stored[:-1]] == acknowledged
    assert stored[-1].value == b"after"


async def test_appends_that_wait_together_share_a_commit(tmp_path: Path) -> None:
    async with opened(tmp_path / "log.db") as log:
        before = log.commits
        await asyncio.gather(*(log.append(PARTITION, b"x") for _ in range(2_000)))
        assert log.commits - before <= 20


async def test_what_may_wait_is_bounded_in_number_and_in_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path / "log.db") as log:
        before = 0
        for bound, value in (("JOBS_MAX", 5), ("JOBS_BYTES_MAX", 5 * 1_000)):
            with monkeypatch.context() as lowered, held(tmp_path / "log.db"):
                lowered.setattr(worker_module, bound, value)
                appends = [log.append(PARTITION, bytes(1_000)) for _ in range(10_000)]
                answers = asyncio.gather(*appends, return_exceptions=True)
                await asyncio.sleep(0)
            written = [answer for answer in await answers if isinstance(answer, Appended)]
            refused = {str(answer) for answer in await answers if isinstance(answer, NotWritten)}
            assert refused == {"the log is busy: too much waits to be written"}
            # What the thread took before the other connection made it wait, and what may wait.
            assert 5 <= len(written) <= 5 + worker_module.BATCH_JOBS_MAX
            assert len(await everything(log)) == before + len(written)
            before += len(written)


class held:  # noqa: N801 - reads as a verb
    """Another connection writes, as an operator's shell could: the log waits for it."""

    def __init__(self, path: Path) -> None:
        self._other = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> None:
        self._other.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self._other.execute("ROLLBACK")
        self._other.close()


async def test_a_group_and_all_records_outlive_a_restart(tmp_path: Path) -> None:
    async def none(partitions: object) -> dict[Partition, int]:
        return {}

    async with opened(tmp_path / "log.db") as log:
        for _ in range(3):
            await log.append(PARTITION, b"x")
        async with log.group("g", [TOPIC], none) as member:
            await anext(aiter(member))
            await member.commit(PARTITION, 2)
    async with opened(tmp_path / "log.db") as log, log.group("g", [TOPIC], none) as member:
        assert [record.offset for record in await anext(aiter(member))] == [2]


async def test_a_file_that_is_no_log_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database, and long enough to be looked at" * 9)
    with pytest.raises(LogUnavailable, match=r"text\.db"):
        await open_sqlite(str(tmp_path / "text.db"), now_ms=now_ms)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(LogUnavailable, match="was not written by this version"):
        await open_sqlite(str(tmp_path / "other.db"), now_ms=now_ms)


async def test_a_url_opens_a_file_or_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url in (f"sqlite:///{tmp_path}/abs.db", "sqlite:///sub/rel.db", "sqlite://:memory:"):
        await (await open_log(url, now_ms=now_ms)).close()
    assert (tmp_path / "abs.db").exists()
    assert (tmp_path / "sub" / "rel.db").exists()
    assert not (tmp_path / ":memory:").exists()


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///", "sqlite://x.db", "file:///x", "x.db"]
)
async def test_another_url_names_the_form_of_the_setting(url: str) -> None:
    with pytest.raises(ValueError, match="the setting has the form sqlite:///"):
        await open_log(url, now_ms=now_ms)
