"""The Python client keeps a copy of channels while gateways are killed, and the client itself."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from harness.cluster import Cluster
from harness.copies import Copier, Row, copying
from harness.gateways import AT_SEVERAL, addresses, name_of, running
from harness.people import PASSWORD, People, Person
from harness.poster import Poster
from harness.suite import Suite
from libs.testing.eventually import eventually
from libs.wire.services import GATEWAY
from rostrum import Client, FileSessions
from rostrum.follower import WAYS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900), AT_SEVERAL]

GATEWAYS = 2
SEED = 20_261_128
CHANNELS = 2
RATE = 50.0
# Of gateways, and of each copier: on a cluster, and in one process, where each takes all down.
KILLS = (50, 10)
KILLS_EMBEDDED = (4, 2)
STEP_POSTS = 30
POSTED_S = 60.0
COPIED_S = 60.0
# One that takes the best way there is, and two that have no choice.
CHOICES: tuple[Sequence[str], ...] = (WAYS, WAYS[1:2], WAYS[2:])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def suite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Suite | Cluster]:
    """One process, or a cluster of two gateways at a broker of its own."""
    folder = tmp_path_factory.mktemp("client")
    async with running(request.param, folder, gateways=GATEWAYS) as found:
        yield found


@pytest.mark.law("L8")
async def test_a_copy_is_exact_whatever_is_killed(
    suite: Suite | Cluster, tmp_path: Path, figures: list[str]
) -> None:
    """kill -9 of gateways and of those who copy, under steady posts: each copy has every entry of
    every channel once, in order, as the pages have it."""
    dice = random.Random(SEED)
    async with AsyncExitStack() as leaving:
        people = [await leaving.enter_async_context(People(url)) for url in addresses(suite)]
        ada = [await each.person("ada") for each in people]
        channels = [(await ada[0].create(f"c{n}"))["id"] for n in range(CHANNELS)]
        copiers = await _copiers(suite, tmp_path, channels)
        poster = Poster(ada)
        async with copying(copiers), asyncio.TaskGroup() as posting:
            posting.create_task(poster.post_at(RATE, channels))
            kills = await _kill_all(suite, copiers, poster, dice)
            poster.is_over.set()
            await _all_copied(ada[0], copiers, channels, poster)
            plain = {channel: await ada[0].read(channel) for channel in channels}
    for copier in copiers:
        for channel in channels:
            wanted = [Row(each["id"], each["type"], each.get("text")) for each in plain[channel]]
            assert copier.rows(channel) == wanted, copier.ways
    shown = "; ".join(f"{'+'.join(each.ways)}: {_shown(each)}" for each in copiers)
    figures.append(
        f"{len(copiers)} copies by the Python client on {name_of(suite)}, {poster.posted} posts, "
        f"{kills} kills of gateways and {sum(each.kills for each in copiers)} of clients "
        f"(seed {SEED}): 0 lost, 0 twice, all sequences the same; {shown}"
    )


async def _copiers(suite: Suite | Cluster, folder: Path, channels: Sequence[str]) -> list[Copier]:
    """Each with a session of its own: a refresh token counts once."""
    found = []
    for number, ways in enumerate(CHOICES):
        session = folder / f"session-{number}.json"
        async with Client(addresses(suite), sessions=FileSessions(session)) as client:
            await client.sign_in("ada", PASSWORD)
        order = {"urls": addresses(suite), "channels": list(channels), "session": str(session)}
        found.append(Copier(folder, order, ways))
    return found


async def _kill_all(
    suite: Suite | Cluster, copiers: Sequence[Copier], poster: Poster, dice: random.Random
) -> int:
    """One gateway at each step, and at some steps the copiers. Returns how many gateways."""
    gateways, clients = KILLS if isinstance(suite, Cluster) else KILLS_EMBEDDED
    steps = set(dice.sample(range(gateways), clients))
    for step in range(gateways):
        await _posted(poster, poster.posted + STEP_POSTS)
        for each in copiers:
            each.must_run()
        restarts = [each.kill_and_start() for each in copiers] if step in steps else []
        await asyncio.gather(_kill_gateway(suite, dice), *restarts)
    return gateways


async def _kill_gateway(suite: Suite | Cluster, dice: random.Random) -> None:
    if isinstance(suite, Cluster):
        victim = dice.randrange(GATEWAYS)
        await suite.kill(GATEWAY, victim)
        await suite.start_one(GATEWAY, victim)
    else:
        await suite.kill()
        await suite.start()


async def _posted(poster: Poster, wanted: int) -> None:
    def has_posted() -> bool:
        return poster.posted >= wanted

    await eventually(has_posted, within_s=POSTED_S, what=f"{wanted} posts")


async def _all_copied(
    ada: Person, copiers: Sequence[Copier], channels: Sequence[str], poster: Poster
) -> None:
    await _posted(poster, poster.offered)
    total = sum([len(await ada.read(channel)) for channel in channels])
    for copier in copiers:
        copied = partial(_has_copied, copier, total)
        await eventually(copied, within_s=COPIED_S, every_s=0.2, what=f"{copier.ways} has all")


def _has_copied(copier: Copier, total: int) -> bool:
    copier.must_run()
    assert copier.count() >= total, copier.told()
    return True


def _shown(copier: Copier) -> str:
    told = copier.told()
    return ", ".join(f"{name} {told[name]}" for name in sorted(told) if told[name])
