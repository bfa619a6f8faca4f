"""A follower behind something that does not let everything through, at a real gateway."""

import asyncio
import random

import pytest

from clients.python.tests.leftovers import tasks_of_ours
from clients.python.tests.people import person
from clients.python.tests.proxy import Proxy
from libs.testing.eventually import eventually
from rostrum import Client, MemoryCursors, Message, Received
from rostrum.follower import WAYS, Follower
from rostrum.following.patience import Patience

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

SEED = 20_261_129
QUICK = Patience(
    again_first_s=0.02, again_most_s=0.2, open_s=1.0, better_first_s=0.3, better_most_s=0.5
)
EVENTS_S = 60.0
CHANNELS = 3
POSTS = 240
# Of a follower that is cancelled: some live shorter, some longer.
LIFE_S = 0.08
LIVES_MAX = 3_000
# Of answers, until a connection is cut: less than the first frames, up to many.
CUTS_AFTER = (100, 6_000)
CUTS_LATER = (100, 100_000)


async def texts(follower: Follower, count: int) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(EVENTS_S):
        while len(found) < count:
            event = await anext(follower)
            assert isinstance(event, Received), event
            assert isinstance(event.entry, Message)
            found.append(event.entry.text)
    return found


async def test_who_gets_neither_upgrades_nor_events_polls_until_they_come_through(
    url: str,
) -> None:
    """From WebSocket to polls and back, each way as soon as it can be had, and nothing is lost."""
    async with person(url, "proxy_ways") as ada, Proxy(url) as proxy:
        channel = (await ada.create_channel("first")).id
        proxy.upgrades, proxy.holds_events = False, True
        async with (
            Client(proxy.url, session=ada.session) as client,
            Follower(client.http, {channel: "1-0"}, patience=QUICK) as follower,
        ):
            await ada.post(channel, "by poll")
            assert await texts(follower, 1) == ["by poll"]
            await by_way(follower, "poll")
            proxy.holds_events = False
            await by_way(follower, "events")
            await ada.post(channel, "by events")
            assert await texts(follower, 1) == ["by events"]
            proxy.upgrades = True
            await by_way(follower, "websocket")
            await ada.post(channel, "by websocket")
            assert await texts(follower, 1) == ["by websocket"]
            assert follower.counts.changes == 4


async def by_way(follower: Follower, way: str) -> None:
    def is_by_way() -> bool:
        assert (follower.way, follower.is_connected) == (way, True), follower.trouble
        return True

    await eventually(is_by_way, within_s=EVENTS_S, what=f"it listens by {way}")


@pytest.mark.parametrize("ways", [WAYS, *((way,) for way in WAYS)], ids="+".join)
async def test_whatever_is_cut_where_each_entry_comes_once(
    url: str, ways: tuple[str, ...], figures: list[str]
) -> None:
    """Every connection is cut after some bytes, in the middle of frames, handshakes and pages."""
    name = f"cuts_{'_'.join(ways)}"
    dice = random.Random(f"{SEED} {name}")
    async with person(url, name) as ada, Proxy(url, cuts_after=CUTS_AFTER, dice=dice) as proxy:
        channels = [(await ada.create_channel(f"c{n}")).id for n in range(CHANNELS)]
        cursors = dict.fromkeys(channels, "1-0")
        async with (
            Client(proxy.url, session=ada.session) as client,
            Follower(client.http, cursors, ways=ways, patience=QUICK) as follower,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(post_all(ada, channels))
            found = await texts(follower, POSTS)
    for channel in channels:
        mine = [text for text in found if text.startswith(channel)]
        assert mine == [f"{channel} {n}" for n in range(POSTS // CHANNELS)]
    figures.append(
        f"the client by {'+'.join(ways)} with {proxy.cuts} connections cut (seed {SEED}): "
        f"{POSTS} entries, 0 lost, 0 twice, {follower.counts.changes} changes of way"
    )


@pytest.mark.parametrize("ways", [WAYS, *((way,) for way in WAYS)], ids="+".join)
async def test_who_is_cancelled_anywhere_leaves_nothing_behind_and_misses_nothing(
    url: str, ways: tuple[str, ...]
) -> None:
    """Many short lives, each ended in the middle of whatever it does."""
    name = f"lives_{'_'.join(ways)}"
    dice = random.Random(f"{SEED} {name}")
    store = MemoryCursors()
    found: list[str] = []
    async with person(url, name) as ada, Proxy(url, cuts_after=CUTS_LATER, dice=dice) as proxy:
        channels = [(await ada.create_channel(f"c{n}")).id for n in range(CHANNELS)]
        await post_all(ada, channels)
        async with Client(proxy.url, session=ada.session) as client:
            lives = 0
            while len(found) < POSTS:
                lives += 1
                assert lives < LIVES_MAX
                follower = Follower(
                    client.http,
                    dict.fromkeys(channels, "1-0"),
                    store=store,
                    ways=ways,
                    patience=QUICK,
                )
                life = asyncio.ensure_future(live(follower, store, found))
                await asyncio.wait({life}, timeout=dice.expovariate(1 / LIFE_S))
                life.cancel()
                await asyncio.wait({life})
                assert life.cancelled()
                assert not tasks_of_ours()
    for channel in channels:
        mine = [text for text in found if text.startswith(channel)]
        assert mine == [f"{channel} {n}" for n in range(POSTS // CHANNELS)]


async def live(follower: Follower, store: MemoryCursors, found: list[str]) -> None:
    async with follower:
        async for event in follower:
            assert isinstance(event, Received), event
            assert isinstance(event.entry, Message)
            # As one does who keeps rows and cursor together.
            found.append(event.entry.text)
            store.save(event.channel, event.cursor)


async def post_all(client: Client, channels: list[str]) -> None:
    for number in range(POSTS // CHANNELS):
        for channel in channels:
            await client.post(channel, f"{channel} {number}")
