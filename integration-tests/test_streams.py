"""The ways to listen, followed side by side: the same entries, whatever breaks."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest
import pytest_asyncio

from harness.cluster import Cluster
from harness.gateways import AT_SEVERAL, addresses, name_of, running
from harness.listeners import Listener, listening
from harness.people import People, Person
from harness.polling import LongPoll, PollMany
from harness.poster import Poster
from harness.streaming import Events, PackedSocket, Socket, Stream
from harness.suite import Suite
from libs.testing.eventually import eventually
from libs.wire.services import GATEWAY

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240), AT_SEVERAL]

GATEWAYS = 2
WAYS: tuple[type[Listener], ...] = (LongPoll, PollMany, Socket, PackedSocket, Events)
SEED = 20_261_127
CHANNELS = 3
EACH_WAY = 4
RATE = 80.0
STEPS = 10
STEP_POSTS = 30
# Of the steps, those that kill; the embedded suite is killed once.
KILLS = frozenset({1, 4, 6, 9})
LAST_KILL = 6
POSTED_S = 60.0
CAUGHT_UP_S = 60.0
# The longest texts, four bytes a character: more than sockets and outbox hold together.
WIDE = "\N{GRINNING FACE}" * 4_000
WIDE_POSTS = 500
IN_FLIGHT = 8


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def suite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Suite | Cluster]:
    """One process, or a cluster of two gateways at a broker of its own."""
    folder = tmp_path_factory.mktemp("streams")
    async with running(request.param, folder, gateways=GATEWAYS) as found:
        yield found


@pytest.mark.law("L8")
async def test_all_ways_give_the_same_entries_whatever_breaks(
    suite: Suite | Cluster, figures: list[str]
) -> None:
    """Connections that break, readers that pause and gateways that are killed: every follower has
    each entry once, in order, as the pages have it."""
    dice = random.Random(SEED)
    async with _ada(suite) as sessions:
        channels = [(await sessions[0].create(f"c{n}"))["id"] for n in range(CHANNELS)]
        listeners = _listeners(suite, sessions[0], channels)
        poster = Poster(sessions)
        async with listening(listeners), asyncio.TaskGroup() as posting:
            posting.create_task(poster.post_at(RATE, channels))
            kills = await _disturb(suite, listeners, poster, dice)
            poster.is_over.set()
            plain = await _caught_up(sessions[0], listeners, channels, poster)
    told = _judged(listeners, plain)
    assert told["jump"] == told["reset"] == 0, "nobody was so far behind"
    figures.append(
        f"{len(listeners)} followers over {len(WAYS)} ways on {name_of(suite)}, {poster.posted} "
        f"posts in {CHANNELS} channels, {told['broken']} connections broken, {kills} kills "
        f"(seed {SEED}): 0 lost, 0 twice, all sequences the same; told {_shown(told)}"
    )


@pytest.mark.law("L8")
async def test_who_reads_too_slowly_is_told_so_and_misses_nothing(
    suite: Suite | Cluster, figures: list[str]
) -> None:
    """Streams that read nothing while 8 MB come: those who are told `behind` pull the
    rest and go on."""
    async with _ada(suite) as sessions:
        channel = (await sessions[0].create("wide"))["id"]
        streams: list[Listener] = [
            way(sessions[0], addresses(suite), {channel: "1-0"}, seed=f"{SEED} {way.way}")
            for way in (Socket, PackedSocket, Events)
        ]
        async with listening(streams):
            await _watching(streams)
            for each in streams:
                each.awake.clear()
            poster = Poster(sessions, padding=WIDE)
            await poster.post_all([channel], WIDE_POSTS, at_once=IN_FLIGHT)
            for each in streams:
                each.awake.set()
            plain = await _caught_up(sessions[0], streams, [channel], poster)
    told = _judged(streams, plain)
    # One that gets what it lacks from pages anyhow is not told, but waited for.
    assert told["behind"] >= 1, told
    figures.append(
        f"slow readers on {name_of(suite)}: {WIDE_POSTS} posts of {len(WIDE.encode()) >> 10} KiB "
        f"unread over {len(streams)} streams, 0 lost, 0 twice; told {_shown(told)}"
    )


@asynccontextmanager
async def _ada(suite: Suite | Cluster) -> AsyncIterator[list[Person]]:
    """One user, signed in at each gateway."""
    async with AsyncExitStack() as leaving:
        clients = [await leaving.enter_async_context(People(url)) for url in addresses(suite)]
        yield [await people.person("ada") for people in clients]


def _listeners(suite: Suite | Cluster, ada: Person, channels: Sequence[str]) -> list[Listener]:
    """Each way several times; who can follow one channel follows one."""
    made = []
    for way in WAYS:
        for number in range(EACH_WAY):
            followed = channels[number % CHANNELS :][:1] if way is LongPoll else channels
            cursors = dict.fromkeys(followed, "1-0")
            made.append(way(ada, addresses(suite), cursors, seed=f"{SEED} {way.way} {number}"))
    return made


async def _disturb(
    suite: Suite | Cluster, listeners: Sequence[Listener], poster: Poster, dice: random.Random
) -> int:
    """At each step some break, and some sleep until the next one. Returns how often a gateway was
    killed."""
    kills = 0
    for step in range(STEPS):
        wanted = poster.posted + STEP_POSTS
        await eventually(
            partial(_has_posted, poster, wanted), within_s=POSTED_S, what=f"{wanted} posts"
        )
        for each in listeners:
            each.awake.set()
        for each in dice.sample(listeners, len(listeners) // 4):
            each.break_now()
        for each in dice.sample(listeners, len(listeners) // 4):
            each.awake.clear()
        if step in KILLS:
            kills += await _kill(suite, step)
    for each in listeners:
        each.awake.set()
    return kills


async def _kill(suite: Suite | Cluster, step: int) -> int:
    if isinstance(suite, Cluster):
        victim = step % GATEWAYS
        await suite.kill(GATEWAY, victim)
        await suite.start_one(GATEWAY, victim)
        return 1
    if step != LAST_KILL:
        return 0
    await suite.kill()
    await suite.start()
    return 1


def _has_posted(poster: Poster, count: int) -> bool:
    return poster.posted >= count


async def _watching(streams: Sequence[Listener]) -> None:
    def all_watch() -> bool:
        return all(isinstance(each, Stream) and each.is_watching.is_set() for each in streams)

    await eventually(all_watch, within_s=CAUGHT_UP_S, what="all streams watch")


async def _caught_up(
    ada: Person, listeners: Sequence[Listener], channels: Sequence[str], poster: Poster
) -> dict[str, list[dict[str, object]]]:
    """The channels as their pages have them, once all posts are in and all followers are there."""
    wanted = poster.offered
    await eventually(partial(_has_posted, poster, wanted), within_s=POSTED_S, what="all posts")
    plain = {channel: await ada.read(channel) for channel in channels}

    def all_there() -> bool:
        for each in listeners:
            behind = [name for name in each.notes if each.notes[name].place.id < len(plain[name])]
            assert not behind, f"{each.way} at {each.notes.cursors}: {each.notes.said()}"
        return True

    await eventually(all_there, within_s=CAUGHT_UP_S, what="all have read everything")
    return plain


def _judged(
    listeners: Sequence[Listener], plain: Mapping[str, list[dict[str, object]]]
) -> Counter[str]:
    """What they were told besides entries, together."""
    told: Counter[str] = Counter()
    for each in listeners:
        assert not each.notes.faults, f"{each.way}: {each.notes.faults[:3]}"
        for channel in each.notes:
            assert each.notes[channel].entries == plain[channel], each.way
        told += each.notes.told
    return told


def _shown(told: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(told.items()))
