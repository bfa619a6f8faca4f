"""A follower at a real gateway."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from clients.python.tests.people import person
from rostrum import Client, Message, SignedOut
from rostrum.cursors import MemoryCursors, SqliteCursors
from rostrum.events import Ended, Event, Received
from rostrum.follower import WAYS, Follower
from rostrum.following.inbox import EVENTS_MAX
from rostrum.paging import PAGE_MAX
from rostrum.ways.poll import POLLS_MAX

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVENT_S = 30.0
# The longest text, and as many of them as no socket and no gateway holds for a client.
WIDE = "\N{GRINNING FACE}" * 4_000
WIDE_POSTS = 800
IN_FLIGHT = 8


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A handle of this test's own."""
    named = request.node.name.encode().hex()
    return f"u{hash(named) % 10**12}"


async def next_of(follower: Follower) -> Event:
    async with asyncio.timeout(EVENT_S):
        return await anext(follower)


async def texts(follower: Follower, count: int) -> list[str]:
    return [text_of(await next_of(follower)) for _ in range(count)]


def text_of(event: Event) -> str:
    assert isinstance(event, Received), event
    assert isinstance(event.entry, Message), event
    return event.entry.text


async def posted(client: Client, channel: str, *texts: str) -> None:
    for text in texts:
        await client.post(channel, text)


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_posted_comes(url: str, name: str, way: str) -> None:
    async with person(url, name) as ada:
        channel = (await ada.create_channel("first")).id
        await posted(ada, channel, "a", "b")
        async with ada.follow({channel: "1-0"}, ways=[way]) as follower:
            assert await texts(follower, 2) == ["a", "b"]
            await posted(ada, channel, "c")
            assert await texts(follower, 1) == ["c"]
            assert follower.cursors == {channel: "1-3"}
            assert (follower.way, follower.is_connected, follower.trouble) == (way, True, "")
        assert not follower.is_connected


@pytest.mark.parametrize("way", WAYS)
async def test_a_cursor_is_saved_when_the_next_event_is_asked_for(
    url: str, name: str, way: str
) -> None:
    """What was handed out and not handled comes again, what was handled does not."""
    store = MemoryCursors()
    async with person(url, name) as ada:
        channel = (await ada.create_channel("first")).id
        await posted(ada, channel, "a", "b", "c")
        for left in (["a", "b"], ["b", "c"]):
            async with ada.follow({channel: "1-0"}, store=store, ways=[way]) as follower:
                assert await texts(follower, 2) == left
        assert store.load() == {channel: "1-2"}


@pytest.mark.parametrize("way", WAYS)
async def test_from_now_on_begins_where_it_was_first_told(url: str, name: str, way: str) -> None:
    """A restart before anything came misses nothing."""
    store = MemoryCursors()
    async with person(url, name) as ada:
        channel = (await ada.create_channel("first")).id
        await posted(ada, channel, "a")
        async with ada.follow([channel], store=store, ways=[way]) as follower:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(follower), 0.5)
        await posted(ada, channel, "b")
        async with ada.follow([channel], store=store, ways=[way]) as follower:
            assert await texts(follower, 1) == ["b"]


async def test_an_event_that_was_asked_for_in_vain_comes_later(url: str, name: str) -> None:
    """Each of many cancelled questions; nothing is lost by it."""
    async with person(url, name) as ada:
        channel = (await ada.create_channel("first")).id
        async with ada.follow({channel: "1-0"}) as follower:
            found: list[str] = []
            for number in range(20):
                await posted(ada, channel, str(number))
                found += await asked_for_a_while(follower, 0.001 * number)
            found += await texts(follower, 20 - len(found))
    assert found == [str(number) for number in range(20)]


async def asked_for_a_while(follower: Follower, within_s: float) -> list[str]:
    """The next event, if it comes in time; else the question is cancelled."""
    asking = asyncio.ensure_future(anext(follower))
    await asyncio.wait({asking}, timeout=within_s)
    asking.cancel()
    await asyncio.wait({asking})
    return [] if asking.cancelled() else [text_of(asking.result())]


@pytest.mark.parametrize("way", WAYS)
async def test_channels_come_and_go(url: str, name: str, way: str) -> None:
    async with person(url, name) as ada:
        first, second = [(await ada.create_channel(title)).id for title in ("first", "second")]
        await posted(ada, first, "a")
        await posted(ada, second, "b")
        async with ada.follow({first: "1-0"}, ways=[way]) as follower:
            assert await texts(follower, 1) == ["a"]
            await follower.watch({second: "1-0"})
            assert await texts(follower, 1) == ["b"]
            await follower.unwatch([first])
            await posted(ada, first, "not heard")
            await posted(ada, second, "c")
            assert await texts(follower, 1) == ["c"]
            # From the beginning once more: that was asked for.
            await follower.watch({second: "1-0", first: "1-1"})
            assert sorted(await texts(follower, 3)) == ["b", "c", "not heard"]
            assert follower.cursors == {first: "1-2", second: "1-2"}


@pytest.mark.parametrize("way", WAYS)
async def test_it_ends_when_the_last_channel_has_ended(url: str, name: str, way: str) -> None:
    async with person(url, name) as ada, person(url, f"{name}b") as bob:
        channel = (await ada.create_channel("first", visibility="public")).id
        await bob.join(channel)
        async with bob.follow([channel], ways=[way]) as follower:
            reading = asyncio.ensure_future(all_of(follower))
            await ada.post(channel, "a")
            await ada.ban(channel, (await bob.me()).id)
            async with asyncio.timeout(EVENT_S):
                events = await reading
            assert follower.cursors == {}
    assert isinstance(events[-1], Ended)
    assert events[-1].code in {"access_ended", "banned"}


async def all_of(follower: Follower) -> list[Event]:
    return [event async for event in follower]


@pytest.mark.parametrize("way", WAYS)
async def test_more_channels_than_a_request_takes(url: str, name: str, way: str) -> None:
    async with person(url, name) as ada:
        made = [await ada.create_channel(f"c{n}") for n in range(POLLS_MAX + 20)]
        channels = [each.id for each in made]
        async with ada.follow(dict.fromkeys(channels, "1-0"), ways=[way]) as follower:
            for channel in channels:
                await ada.post(channel, channel)
            assert sorted(await texts(follower, len(channels))) == sorted(channels)


async def test_who_reads_slowly_holds_little_and_misses_nothing(
    url: str, name: str, figures: list[str]
) -> None:
    """13 MB are posted before the second event is asked for; streams are told to be behind, or
    end."""
    async with person(url, name) as ada, AsyncExitStack() as leaving:
        channel = (await ada.create_channel("wide")).id
        await posted(ada, channel, "first")
        followers = [
            await leaving.enter_async_context(ada.follow({channel: "1-0"}, ways=[way]))
            for way in WAYS
        ]
        for follower in followers:
            assert await texts(follower, 1) == ["first"]
        await posted_at_once(ada, channel, [WIDE] * WIDE_POSTS)
        assert all(len(follower._inbox) < EVENTS_MAX + PAGE_MAX for follower in followers)
        for follower in followers:
            events = [await next_of(follower) for _ in range(WIDE_POSTS)]
            ids = [event.entry.id for event in events if isinstance(event, Received)]
            assert ids == list(range(2, WIDE_POSTS + 2)), follower.way
        told = {follower.way: follower.counts for follower in followers}
    assert all(told[way].behind + told[way].breaks for way in WAYS[:2]), told
    shown = ", ".join(f"{way} {told[way].behind} times behind" for way in WAYS)
    figures.append(
        f"the client reads nothing while {WIDE_POSTS} posts of {len(WIDE.encode()) >> 10} KiB come "
        f"and holds at most {EVENTS_MAX + PAGE_MAX} of them: 0 lost, 0 twice ({shown})"
    )


async def posted_at_once(client: Client, channel: str, texts: list[str]) -> None:
    left = iter(texts)

    async def post_some() -> None:
        for text in left:
            await client.post(channel, text)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(post_some())


@pytest.mark.parametrize("way", WAYS)
async def test_a_session_that_is_signed_out_ends_it(url: str, name: str, way: str) -> None:
    async with person(url, name) as ada:
        channel = (await ada.create_channel("first")).id
        async with ada.follow({channel: "1-0"}, ways=[way]) as follower:
            await posted(ada, channel, "a")
            assert await texts(follower, 1) == ["a"]
            await ada.sign_out()
            await refuses(follower, SignedOut)
            await refuses(follower, SignedOut)


async def refuses(follower: Follower, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        await next_of(follower)


async def test_rows_and_cursor_of_a_copy_are_one(url: str, name: str, tmp_path: Path) -> None:
    async with person(url, name) as ada:
        channel = (await ada.create_channel("first")).id
        await posted(ada, channel, "a", "b")
        with SqliteCursors(tmp_path / "copy.db") as store:
            store.db.execute("create table copies (text)")
            async with ada.follow({channel: "1-0"}, store=store) as follower:
                keep(store, await next_of(follower))
                keep(store, await next_of(follower))
            assert store.load() == {channel: "1-2"}
            assert list(store.db.execute("select text from copies")) == [("a",), ("b",)]


def keep(store: SqliteCursors, event: Event) -> None:
    assert isinstance(event, Received)
    with store.keeping(event) as db:
        db.execute("insert into copies values (?)", (text_of(event),))


async def test_a_follower_that_outlives_its_client_says_so(url: str, name: str) -> None:
    async with person(url, name) as ada:
        follower = ada.follow([(await ada.create_channel("first")).id])
        await follower.__aenter__()
    await refuses(follower, RuntimeError)
    await follower.__aexit__()


@pytest.mark.parametrize(
    ("cursors", "ways"),
    [
        ({"a/b": None}, WAYS),
        ({"a": "5"}, WAYS),
        ({"a": ""}, WAYS),
        ({"a": None}, []),
        ({"a": None}, ["carrier pigeon"]),
    ],
)
async def test_what_makes_no_sense_is_refused_at_once(
    url: str, cursors: dict[str, str | None], ways: list[str]
) -> None:
    async with Client(url) as client:
        with pytest.raises(ValueError, match=r"id|cursor|ways"):
            client.follow(cursors, ways=ways)
