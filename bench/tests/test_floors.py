"""Floors write to everybody who waits, and nothing else."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from bench.contestant import CONNECTIONS_OF_A_PROCESS
from bench.floors import Floor, in_c, in_python
from bench.listeners import Listeners
from bench.ways import Load, Way

Make = Callable[[int | None, int], Floor]

MANY = 30
FLOORS = pytest.mark.parametrize("make", [in_c, in_python], ids=["c", "python"])
LOAD = Load(MANY, deadline_s=20, life_s=60)


@pytest.fixture(params=[in_c, in_python], ids=["c", "python"])
def floor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Floor]:
    """Each of them, started."""
    made: Floor = request.param(None, MANY)
    made.start(tmp_path)
    yield made
    made.stop()
    assert made.pids() == []


@pytest.mark.parametrize("way", list(Way), ids=lambda way: way.value)
def test_each_message_comes_once_to_each_who_waits(floor: Floor, way: Way) -> None:
    with Listeners(floor.listening(way, MANY), LOAD) as listeners:
        for _ in range(3):
            woken = listeners.wake(floor.next_id, partial(floor.send, way), again=True)
            assert (woken.woken, woken.again_ms is None) == (MANY, False)
        assert listeners.end() == {}


def test_what_a_floor_takes_of_the_machine_is_counted(floor: Floor) -> None:
    before_ns = floor.cpu_ns()
    with Listeners(floor.listening(Way.POLL, MANY), LOAD):
        assert floor.cpu_ns() > before_ns
        assert floor.rss_bytes() > 1 << 20


@FLOORS
def test_a_floor_for_more_than_a_process_holds_has_several(make: Make, tmp_path: Path) -> None:
    floor = make(None, CONNECTIONS_OF_A_PROCESS + 1)
    floor.start(tmp_path)
    try:
        with Listeners(floor.listening(Way.POLL, MANY), LOAD) as listeners:
            woken = listeners.wake(floor.next_id, lambda: floor.send(Way.POLL), again=True)
            assert (woken.woken, len(floor.pids())) == (MANY, 2)
    finally:
        floor.stop()
