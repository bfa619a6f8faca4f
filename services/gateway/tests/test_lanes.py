"""Posts travel to chat in batches, to the instance that their pool prefers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from libs.runtime.access import AccessLane
from libs.runtime.addresses import ranked
from libs.runtime.service import Ports
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.testing.served import served
from libs.wire.api import POSTS_MAX, PostItem, PostReply
from libs.wire.codes import OutcomeUnknown, TryAgain
from services.gateway.access import AccessMemory
from services.gateway.lanes import BATCH_BYTES_MAX, DEAD_S, SUSPECT_S, PostLanes
from services.gateway.tests.fakes import FakeChat, FakeMembers
from services.gateway.tests.surroundings import surroundings

WITHIN_S = 10.0
CHANNEL = "0" * 25 + "1"
OTHER = "0" * 25 + "2"
NOBODY = "http://127.0.0.1:1"
DONE = PostReply(201, b'{"id":1}')


def item(text: str, channel: str = CHANNEL) -> PostItem:
    return PostItem(channel, "ann", "trace", text.encode())


class Lanes:
    """Post lanes over fakes; chat is in this process unless instances are served."""

    def __init__(self, ports: Ports, clock: VirtualClock, waiting_max: int) -> None:
        self.clock = clock
        self.ports = ports
        self.chat = FakeChat(ports.signer, clock)
        self.members = FakeMembers(ports.signer, clock)
        self.members.public |= {CHANNEL, OTHER}
        ports.calls.attach("group-membership", self.members.app)
        access = AccessMemory(AccessLane(ports, 1.0), clock, yes_s=60.0, kept_s=600.0, most=1_000)
        self.lanes = PostLanes(ports, access, deadline_s=WITHIN_S, waiting_max=waiting_max)

    def posting(self, text: str, channel: str = CHANNEL) -> "asyncio.Task[PostReply]":
        return self.ports.tasks.spawn(self._post(text, channel), name=text)

    async def _post(self, text: str, channel: str) -> PostReply:
        return await self.lanes.post(item(text, channel))

    async def heard(self, count: int) -> None:
        """Return when so many batches have reached chat."""
        batches = self.chat.batches
        await eventually(lambda: len(batches) >= count, within_s=WITHIN_S, what=f"{count} batches")


@asynccontextmanager
async def lanes(*, addresses: tuple[str, ...] = (), most: int = 1_000) -> AsyncIterator[Lanes]:
    clock = VirtualClock()
    async with surroundings(clock, {"chat": addresses}) as ports:
        made = Lanes(ports, clock, most)
        if not addresses:
            ports.calls.attach("chat", made.chat.app)
        yield made


@asynccontextmanager
async def instances(*apps: str) -> AsyncIterator[tuple[Lanes, dict[str, FakeChat]]]:
    """Lanes to chat instances behind sockets: `up` ones, and `down` ones where nobody listens."""
    async with AsyncExitStack() as ending:
        fakes: dict[str, FakeChat] = {}
        clock = VirtualClock()
        addresses = {"chat": tuple[str, ...]()}
        ports = await ending.enter_async_context(surroundings(clock, addresses))
        for app in apps:
            fake = FakeChat(ports.signer, clock)
            up = app == "up"
            fakes[await ending.enter_async_context(served(fake.app)) if up else NOBODY] = fake
        addresses["chat"] = tuple(fakes)
        yield Lanes(ports, clock, 1_000), fakes
        await ports.calls.close()


async def test_while_a_batch_is_out_later_posts_gather_in_their_order() -> None:
    async with lanes() as it:
        it.chat.goes_on.clear()
        first = it.posting("0")
        await it.heard(1)
        rest = [it.posting(str(number)) for number in range(1, 6)]
        await eventually(lambda: len(it.chat.heard) == 6, within_s=WITHIN_S, what="all are there")
        it.chat.goes_on.set()
        assert await asyncio.gather(first, *rest) == [DONE] * 6
    assert [post.body for post in it.chat.heard] == [b"0", b"1", b"2", b"3", b"4", b"5"]
    assert len(it.chat.batches[0]) == 1
    assert len(it.chat.batches) < 6
    assert it.chat.heard[0] == item("0")


async def test_a_batch_that_is_slow_does_not_hold_up_the_next() -> None:
    async with lanes() as it:
        it.chat.goes_on.clear()
        slow = it.posting("slow")
        await it.heard(1)
        quick = it.posting("quick")
        await it.heard(2)
        assert not slow.done()
        it.chat.goes_on.set()
        assert [await slow, await quick] == [DONE, DONE]


async def test_a_batch_is_bounded_in_posts_and_bytes() -> None:
    async with lanes() as it:
        it.chat.goes_on.clear()
        posts = [it.posting("first")]
        await it.heard(1)
        posts += [it.posting("small") for _ in range(POSTS_MAX + 5)]
        posts += [it.posting("x" * (BATCH_BYTES_MAX // 2)) for _ in range(5)]
        await eventually(
            lambda: len(it.chat.heard) == len(posts), within_s=WITHIN_S, what="all are there"
        )
        it.chat.goes_on.set()
        await asyncio.gather(*posts)
    assert max(len(batch) for batch in it.chat.batches) <= POSTS_MAX
    largest = BATCH_BYTES_MAX // 2 * 3
    assert max(sum(len(post.body) for post in batch) for batch in it.chat.batches) <= largest


async def test_a_post_whose_client_went_before_it_was_sent_is_not_sent() -> None:
    async with lanes() as it:
        it.chat.goes_on.clear()
        first = it.posting("first")
        await it.heard(1)
        gone, stays = it.posting("gone"), it.posting("stays")
        await asyncio.sleep(0)
        gone.cancel()
        it.chat.goes_on.set()
        assert [await first, await stays] == [DONE, DONE]
    assert b"gone" not in [post.body for post in it.chat.heard]


async def test_too_many_posts_on_their_way_are_told_to_come_again() -> None:
    async with lanes(most=2) as it:
        it.chat.goes_on.clear()
        under_way = [it.posting("a"), it.posting("b")]
        await it.heard(1)
        with pytest.raises(TryAgain, match="too many"):
            await it.lanes.post(item("c"))
        it.chat.goes_on.set()
        await asyncio.gather(*under_way)
        assert await it.lanes.post(item("c")) == DONE


@pytest.mark.parametrize("fault", ["is_short", "is_broken"])
async def test_a_batch_without_an_answer_for_each_post_is_unknown(fault: str) -> None:
    async with lanes() as it:
        setattr(it.chat, fault, True)
        with pytest.raises(OutcomeUnknown):
            await it.lanes.post(item("a"))


async def test_an_instance_that_breaks_off_leaves_its_posts_unknown() -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    async with await asyncio.start_server(break_off, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        async with lanes(addresses=(f"http://127.0.0.1:{port}",)) as it:
            posts = (it.lanes.post(item(text)) for text in "ab")
            outcomes = await asyncio.gather(*posts, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 2


async def test_posts_of_a_pool_go_to_one_instance_and_pools_are_spread() -> None:
    async with instances("up", "up") as (it, chats):
        pools = {str(number).zfill(26): f"channel-log-{number:03}" for number in range(20)}
        it.members.public |= pools.keys()
        it.members.topics = pools
        await asyncio.gather(*(it.lanes.post(item("a", channel)) for channel in [*pools] * 2))
        for address, chat in chats.items():
            mine = [each for each in pools if ranked(pools[each], [*chats])[0] == address]
            assert sorted(post.channel for post in chat.heard) == sorted(mine * 2)
            assert mine


async def test_an_instance_that_is_not_reached_is_passed_over_for_a_while() -> None:
    async with instances("up", "down") as (it, chats):
        channels = [str(number).zfill(26) for number in range(20)]
        it.members.public |= {*channels}
        replies = await asyncio.gather(*(it.lanes.post(item("a", each)) for each in channels))
        assert replies == [DONE] * len(channels)
        (up,) = (chat for address, chat in chats.items() if address != NOBODY)
        assert sorted(post.channel for post in up.heard) == channels
        it.clock.advance(DEAD_S * 2)
        assert await it.lanes.post(item("b", channels[0])) == DONE


@pytest.mark.parametrize("fault", ["is_broken", "is_away"])
async def test_an_instance_that_only_fails_loses_its_pools_for_a_while(fault: str) -> None:
    async with instances("up", "up") as (it, chats):
        best, other = (chats[address] for address in ranked(CHANNEL, [*chats]))
        if fault == "is_broken":
            best.is_broken = True
        else:
            best.reply = PostReply(503, b'{"code":"outcome_unknown"}', 1)
        with contextlib.suppress(OutcomeUnknown):
            assert (await it.lanes.post(item("a"))).status == 503
        assert await it.lanes.post(item("b")) == DONE
        assert [post.body for post in other.heard] == [b"b"]
        it.clock.advance(SUSPECT_S)
        best.is_broken, best.reply = False, DONE
        assert await it.lanes.post(item("c")) == DONE
        assert [post.body for post in best.heard] == [b"a", b"c"]


async def test_without_any_instance_the_post_was_not_sent() -> None:
    async with lanes(addresses=(NOBODY,)) as it:
        with pytest.raises(TryAgain, match="does not answer"):
            await it.lanes.post(item("a"))


async def test_the_pool_of_a_channel_is_asked_once_and_nobody_is_needed_for_it() -> None:
    async with lanes() as it:
        it.members.topics[CHANNEL] = "channel-log-001"
        for text in "abc":
            await it.lanes.post(item(text))
        assert it.members.batches == [1]
        it.members.is_away = True
        assert await it.lanes.post(item("d", OTHER)) == DONE
