"""The services on a loop ruled by a seed: no law is broken, and a planted sin is found."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from libs.log.faults import FaultyLog, Script
from libs.log.port import Appended, LogError, Partition, Stored
from libs.runtime.service import Ports
from libs.runtime.view import View
from libs.wire.cursor import parse
from libs.wire.topics import POOL_PREFIX
from services.gateway.wake import Timers
from simulation import cores, views, world
from simulation.__main__ import tell
from simulation.cores import Chat, Gateway, Relay
from simulation.links import Dial
from simulation.seeds import Result, parsed
from simulation.verdict import wrongs
from simulation.views import Shop
from simulation.world import Roles

ROOT = Path(__file__).parents[1]
RUN_S = 110
# What `make test` may take for it, with the seeds that are under way when time is up.
SECONDS = 30
# As many of them as there is time for: some 450 on two cores.
SEEDS = "1-5000"
SINNERS_MAX = 40


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """What the services log of faults is no news here."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


def simulate(*asked: str, hash_seed: str = "random") -> subprocess.CompletedProcess[str]:
    """The command behind `make simulate`."""
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
    path = os.pathsep.join([str(ROOT), str(ROOT / "integration-tests")])
    return subprocess.run(
        [sys.executable, "-m", "simulation", *asked],
        cwd=ROOT,
        env={**environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )


@pytest.mark.law("L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8")
def test_no_seed_breaks_a_law(figures: list[str]) -> None:
    """The same seeds for everybody, so that a change fails for what it did; a wrong one ends with
    the command that replays it. Fresh ones are what `make simulate` is for."""
    done = simulate(SEEDS, "--seconds", str(SECONDS))
    figures.append(done.stdout.strip().rpartition("\n")[2])
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]


def test_a_seed_is_the_same_history_in_every_process() -> None:
    first, second = (simulate("--traces", "7-12", hash_seed=each).stdout for each in ("1", "2"))
    traces = re.findall(r"^(?:posts|views) \d+ .+$", first, re.MULTILINE)
    assert len(set(traces)) == 12
    assert traces == re.findall(r"^(?:posts|views) \d+ .+$", second, re.MULTILINE)


def test_seeds_are_written_as_people_do() -> None:
    assert parsed("4711") == [4711]
    assert parsed("3,7-9 12") == [3, 7, 8, 9, 12]


class HastyLog(FaultyLog):
    """Says that records of channels are written before they are."""

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports.log, Script())
        self._ports = ports

    async def append(self, partition: Partition, value: bytes, *, key: bytes = b"") -> Appended:
        if not partition.topic.startswith(POOL_PREFIX):
            return await super().append(partition, value, key=key)
        end = (await self.ends([partition]))[partition].next
        self._ports.tasks.spawn(self._written_late(partition, value), name="late")
        return Appended(end, self._ports.clock.now_ms())

    async def _written_late(self, partition: Partition, value: bytes) -> None:
        with suppress(LogError):
            await super().append(partition, value)


def hasty_chat(ports: Ports) -> Chat:
    return cores.chat(replace(ports, log=HastyLog(ports)))


def relay_that_never_reconciles(ports: Ports) -> Relay:
    relay = cores.relay(ports)
    loops = {name: loop for name, loop in relay.loops.items() if name != "reconcile"}
    return replace(relay, loops=loops)


class OneTooFar(Gateway):
    async def poll(self, user: str, channel: str, after: str, wait_s: float) -> bytes:
        cursor = parse(after)
        after = str(cursor._replace(id=cursor.id + 1))
        return await super().poll(user, channel, after, wait_s)


def gateway_off_by_one(ports: Ports, timers: Timers, wire: Dial) -> Gateway:
    gateway = cores.gateway(ports, timers, wire)
    return OneTooFar(gateway.polls, gateway.lanes, gateway.loops)


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (Roles(chat=hasty_chat), "L1 "),
        (Roles(relay=relay_that_never_reconciles), "without faults"),
        (Roles(gateway=gateway_off_by_one), "L8 skipped"),
    ],
    ids=["acknowledged-before-append", "lost-signal-never-healed", "cursor-off-by-one"],
)
def test_a_planted_sin_is_found_within_a_few_seeds(roles: Roles, said: str) -> None:
    found = (wrongs(world.run(seed, roles)) for seed in range(SINNERS_MAX))
    assert any(said in wrong for these in found for wrong in these)


class Apart(View):
    """Writes a batch, and its position in a second transaction."""

    async def _store(
        self, partition: Partition, position: int, batch: Sequence[Stored] = ()
    ) -> None:
        if batch:
            async with self._ports.store.pipeline(transaction=True) as pipe:
                await self._fold(pipe, batch)
                await pipe.execute()
        await super()._store(partition, position)


def shop_whose_position_is_apart(ports: Ports) -> Shop:
    view = Apart("shop", [views.THINGS], views.fold, ports=ports)
    return Shop(view, {"view": view.run})


def test_a_position_apart_from_its_batch_is_found_within_a_few_seeds() -> None:
    found = (wrongs(views.run(seed, shop_whose_position_is_apart)) for seed in range(SINNERS_MAX))
    assert any("L6" in wrong for these in found for wrong in these)


def test_a_wrong_seed_ends_with_the_command_that_replays_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell(Result("posts", 4711, "", ("L1 lost: something",)))
    assert capsys.readouterr().out.endswith("make simulate SEEDS=4711\n")
