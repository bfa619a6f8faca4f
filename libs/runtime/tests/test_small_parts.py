"""Clock, tasks, trace, logs, metrics, and the admin app that shows them."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from libs.runtime import metrics, trace
from libs.runtime.admin import Lacks, admin_app
from libs.runtime.clock import SystemClock
from libs.runtime.logging import hushed, logger
from libs.runtime.tasks import GroupTasks, running_tasks

ROOT = Path(__file__).parents[3]

MADE = metrics.counter("tests_things_total", "Things that tests made", ["kind"])
HELD = metrics.gauge("tests_held", "Things that tests hold")
TOOK = metrics.seconds("tests_took_seconds", "How long tests took")


async def test_the_system_clock_tells_wall_time_and_never_falls() -> None:
    clock = SystemClock()
    assert abs(clock.now_ms() - time.time() * 1000) < 5_000
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert 0.009 < clock.monotonic() - before < 5


async def test_running_tasks_are_shown_by_name_and_place() -> None:
    release = asyncio.Event()

    async def wait_for_release() -> int:
        await release.wait()
        return 7

    async with asyncio.TaskGroup() as group:
        task = GroupTasks(group).spawn(wait_for_release(), name="shop.waiter")
        await asyncio.sleep(0)
        (line,) = [line for line in running_tasks() if line.startswith("shop.waiter ")]
        assert "wait_for_release:" in line
        release.set()
    assert task.result() == 7


def test_a_trace_id_of_our_form_is_taken_over_and_any_other_is_replaced() -> None:
    with trace.kept():
        given = "0123456789abcdef" * 2
        assert trace.begin(given) == trace.current() == given
        for odd in (None, "", "x" * 32, given.upper(), given + "\n", given[1:]):
            made = trace.begin(odd)
            assert made == trace.current() != given
            assert len(made) == 32
            assert set(made) <= set("0123456789abcdef")
    assert trace.current() == ""


async def test_a_log_line_is_a_json_object_on_standard_error() -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "libs.runtime.tests.log_lines"), stdout=-1, stderr=-1, cwd=ROOT
    )
    async with asyncio.timeout(30):
        out, err = await child.communicate()
    sold, failed, theirs = [json.loads(line) for line in err.decode().splitlines()]
    assert out == b""
    assert sold["timestamp"].endswith("Z")
    del sold["timestamp"]
    assert sold == {"event": "sold", "thing": "lamp", "part": "shop", "level": "info"}
    assert failed["level"] == "error"
    assert "ZeroDivisionError" in failed["exception"]
    assert (theirs["event"], theirs["level"]) == ("odd thing", "warning")


def test_who_hushes_hears_nothing_and_leaves_all_as_it_was(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with hushed():
        logger("shop").error("sold out")
        logging.getLogger("theirs").error("odd thing")
    assert capsys.readouterr() == ("", "")
    assert caplog.messages == []
    logger("shop").error("sold out")
    logging.getLogger("theirs").error("odd thing")
    assert "sold out" in capsys.readouterr().out
    assert caplog.messages == ["odd thing"]


class FixedClock(SystemClock):
    """A clock that shows one time."""

    def now_ms(self) -> int:
        return 1_795_248_000_123


def admin(lacks: dict[str, Lacks]) -> httpx.AsyncClient:
    app = admin_app(lacks, FixedClock())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a")


async def test_an_instance_is_ready_while_no_service_lacks_anything() -> None:
    lacking: list[str] = ["view: has not begun"]

    def lacks() -> Sequence[str]:
        return lacking

    async with admin({"shop": lacks, "bakery": tuple}) as client:
        assert (await client.get("/health/live")).status_code == 200
        not_yet = await client.get("/health/ready")
        assert not_yet.status_code == 503
        assert not_yet.json() == {
            "ready": False,
            "lacks": {"shop": ["view: has not begun"], "bakery": []},
            "at_ms": 1_795_248_000_123,
        }
        lacking.clear()
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["ready"]) == (200, True)


async def test_metrics_are_shown_in_prometheus_form_with_our_prefix() -> None:
    MADE.labels("lamp").inc(3)
    HELD.set(2)
    TOOK.observe(0.3)
    async with admin({}) as client:
        reply = await client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(reply.text)}
    made = families["rostrum_tests_things"].samples
    assert [(s.labels, s.value) for s in made if s.name.endswith("_total")] == [
        ({"kind": "lamp"}, 3.0)
    ]
    assert families["rostrum_tests_held"].samples[0].value == 2.0
    buckets = {
        sample.labels["le"]: sample.value
        for sample in families["rostrum_tests_took_seconds"].samples
        if sample.name.endswith("_bucket")
    }
    assert buckets["0.25"] == 0.0
    assert buckets["0.5"] == 1.0
    assert len(buckets) == len(metrics.LATENCY_BUCKETS_S) + 1


async def test_tasks_are_shown_to_operators() -> None:
    current = asyncio.current_task()
    assert current is not None
    current.set_name("shop.itself")
    async with admin({}) as client:
        assert "shop.itself " in (await client.get("/debug/tasks")).text
