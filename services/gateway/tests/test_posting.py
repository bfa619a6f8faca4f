"""A post from its sender to chat, whichever way it came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.runtime.access import AccessLane
from libs.runtime.service import Ports
from libs.runtime.web import Person
from libs.testing.clock import VirtualClock
from libs.wire.api import PostReply
from libs.wire.codes import Refused, TryAgain
from services.gateway.access import AccessMemory
from services.gateway.lanes import PostLanes
from services.gateway.limits import Limits
from services.gateway.posting import Posting
from services.gateway.settings import Settings
from services.gateway.tests.fakes import FakeChat, FakeMembers
from services.gateway.tests.surroundings import surroundings

CHANNEL = "0" * 25 + "1"
ANN = Person("ann", "s-ann")
DONE = PostReply(201, b'{"id":1}')


class Posts:
    """Posting over fakes, on a clock that stands still."""

    def __init__(self, ports: Ports, clock: VirtualClock) -> None:
        self.chat = FakeChat(ports.signer, clock)
        self.members = FakeMembers(ports.signer, clock)
        self.members.public.add(CHANNEL)
        self.members.topics[CHANNEL] = "channel-log-001"
        ports.calls.attach("chat", self.chat.app)
        ports.calls.attach("group-membership", self.members.app)
        access = AccessMemory(AccessLane(ports, 1.0), clock, yes_s=60.0, kept_s=600.0, most=100)
        lanes = PostLanes(ports, access, deadline_s=6.0, waiting_max=1_000)
        self.posting = Posting(access, lanes, Limits(Settings(), clock))


@asynccontextmanager
async def posts() -> AsyncIterator[Posts]:
    clock = VirtualClock()
    async with surroundings(clock) as ports:
        yield Posts(ports, clock)


async def test_a_post_reaches_chat_with_its_author_and_its_bytes() -> None:
    async with posts() as it:
        assert await it.posting.post(ANN, CHANNEL, b'{"text": "hi"}') == DONE
        (heard,) = it.chat.heard
        assert (heard.channel, heard.user, heard.body) == (CHANNEL, "ann", b'{"text": "hi"}')


async def test_what_can_be_no_channel_is_refused_and_counts_for_nothing() -> None:
    async with posts() as it:
        for _ in range(100):
            with pytest.raises(Refused, match="channel_unknown"):
                await it.posting.post(ANN, "no-channel", b"{}")
        assert await it.posting.post(ANN, CHANNEL, b"{}") == DONE


async def test_sessions_of_one_person_share_the_rate() -> None:
    async with posts() as it:
        for number in range(5):
            assert await it.posting.post(Person("ann", f"s{number}"), CHANNEL, b"{}") == DONE
        with pytest.raises(TryAgain, match="limit_hit"):
            await it.posting.post(Person("ann", "another"), CHANNEL, b"{}")


async def test_posts_at_once_ask_for_the_role_together_and_none_is_lost() -> None:
    """An owner's 100 posts in one moment: 60 are taken, and the questions are few."""
    async with posts() as it:
        it.members.roles["ann", CHANNEL] = "owner"
        outcomes = await asyncio.gather(
            *(it.posting.post(ANN, CHANNEL, b"%d" % number) for number in range(100)),
            return_exceptions=True,
        )
        assert outcomes.count(DONE) == len(it.chat.heard) == 60
        refused = [each for each in outcomes if each != DONE]
        assert all(isinstance(each, TryAgain) and each.retry_after_s == 1 for each in refused)
        assert it.members.batches == [1]


async def test_who_may_not_even_read_has_the_members_rate() -> None:
    """Chat says why; here only the rate counts."""
    async with posts() as it:
        it.members.refusals["ann", CHANNEL] = "banned"
        for _ in range(5):
            await it.posting.post(ANN, CHANNEL, b"{}")
        with pytest.raises(TryAgain, match="of a member"):
            await it.posting.post(ANN, CHANNEL, b"{}")
