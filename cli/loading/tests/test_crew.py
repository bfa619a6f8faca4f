"""Workers as processes: they end with their orders, and one that dies is noticed."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from cli.loading.crew import WORKER, crew_of
from cli.loading.words import Begin, Following, Person, Place, Plan
from cli.show import Trouble
from libs.runtime.keys import SECRET_FILE, fresh_secret
from libs.wire.codec import to_json
from libs.wire.ids import derived

# A worker imports its client first, on a machine with other work.
ENDS_S = 60.0


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan at a gateway that is away, so that nothing is ever done with."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / SECRET_FILE).write_bytes(fresh_secret())
    channel = derived("channel")
    return Plan(
        url="http://127.0.0.1:9",
        data=str(tmp_path),
        run="run",
        places=(Place(channel, 1, 0),),
        followings=(Following(Person(derived("u")), "websocket", (0,), 0.0),),
        posters=(),
        per_s=1.0,
        seconds=1.0,
        characters=10,
        first=0,
        step=1,
    )


async def test_a_worker_whose_orders_end_ends(plan: Plan) -> None:
    """So do all workers of a command that was killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", WORKER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(to_json(Begin(plan)) + b"\n")
    async with asyncio.timeout(ENDS_S):
        assert b'"followers":1' in await process.stdout.readline()
        process.stdin.close()
        await process.communicate()
    assert process.returncode == 0


async def test_a_worker_that_dies_is_trouble(plan: Plan) -> None:
    async with asyncio.timeout(ENDS_S), crew_of([plan, plan]) as crew:
        os.kill(crew._processes[1].pid, signal.SIGKILL)
        with pytest.raises(ExceptionGroup) as faults:
            await crew.hear()
    (fault,) = faults.value.exceptions
    assert isinstance(fault, Trouble)
    assert str(fault) == "a worker died before it was told to end: exit code -9"


async def test_a_worker_without_a_key_says_so(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "secrets" / SECRET_FILE).unlink()
    async with asyncio.timeout(ENDS_S), crew_of([plan]) as crew:
        with pytest.raises(ExceptionGroup) as faults:
            await crew.hear()
    assert f"{SECRET_FILE} is missing" in str(faults.value.exceptions[0])


async def test_workers_end_with_whoever_started_them(plan: Plan) -> None:
    async with crew_of([plan, plan]) as crew:
        assert await crew.until(lambda: len(crew.stats) == 2, 0.01) is False
        hearing = asyncio.ensure_future(crew.hear())
        assert await crew.until(lambda: len(crew.stats) == 2, ENDS_S)
        hearing.cancel()
    assert [process.returncode for process in crew._processes] == [0, 0]
