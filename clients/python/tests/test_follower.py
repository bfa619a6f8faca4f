"""A follower at a real gateway."""

import asyncio

import pytest

from clients.python.tests.people import person
from rostrum.events import Event, Received
from rostrum.follower import WAYS, Follower
from rostrum.model import Message

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def next_of(follower: Follower) -> Event:
    async with asyncio.timeout(10):
        return await anext(follower)


async def texts(follower: Follower, count: int) -> list[str]:
    found = []
    for _ in range(count):
        event = await next_of(follower)
        assert isinstance(event, Received), event
        assert isinstance(event.entry, Message), event
        found.append(event.entry.text)
    return found


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_posted_comes(url: str, way: str) -> None:
    async with person(url, f"ada_{way}") as ada:
        channel = await ada.create_channel("first")
        for text in "ab":
            await ada.post(channel.id, text)
        async with ada.follow({channel.id: "1-0"}, ways=[way]) as follower:
            assert await texts(follower, 2) == ["a", "b"]
            await ada.post(channel.id, "c")
            assert await texts(follower, 1) == ["c"]
            assert follower.cursors == {channel.id: "1-3"}
            assert follower.way == way
            assert follower.is_connected
