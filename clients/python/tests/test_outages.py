"""A client lives through what happens to gateways and tokens."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from clients.python.tests.people import person
from harness.gateways import QUICK
from harness.suite import Suite
from libs.testing.eventually import eventually
from rostrum import Message

KILLS = 2
POSTS = 40
# The shortest life of an access token that a suite can be set to; it is renewed after 20 s.
LIFE_S = 30
RENEWALS = 2
WITHIN_S = 60.0


@pytest.mark.timeout(180)
async def test_posts_go_on_and_are_written_once_while_their_gateway_is_killed(
    tmp_path: Path,
) -> None:
    async with (
        Suite(tmp_path / "data", **QUICK) as suite,
        person(suite.url, "ada") as client,
    ):
        channel = (await client.create_channel("Kills")).id
        posted = 0

        async def post_some(poster: int) -> None:
            nonlocal posted
            for number in range(POSTS):
                await client.post(channel, f"{poster} {number}")
                posted += 1

        def has_posted(count: int) -> bool:
            return posted >= count

        async def kill_some() -> None:
            for kill in range(1, KILLS + 1):
                await eventually(
                    partial(has_posted, kill * POSTS // 2),
                    within_s=WITHIN_S,
                    every_s=0.001,
                    what="posts go on",
                )
                await suite.kill()
                await suite.start()

        await asyncio.gather(*(post_some(poster) for poster in range(3)), kill_some())
        texts = [
            entry.text async for entry in client.history(channel) if isinstance(entry, Message)
        ]
    assert sorted(texts) == sorted(f"{poster} {at}" for poster in range(3) for at in range(POSTS))


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_session_renews_itself_while_it_is_used_and_after_it_was_not(
    tmp_path: Path,
) -> None:
    async with (
        Suite(tmp_path / "data", session_access_life_s=str(LIFE_S), **QUICK) as suite,
        person(suite.url, "ada") as client,
    ):
        channel = (await client.create_channel("Long")).id
        seen = {client.session.refresh_token}

        async def post_on() -> bool:
            await client.post(channel, "still here")
            seen.add(client.session.refresh_token)
            return len(seen) > RENEWALS

        await eventually(post_on, within_s=3 * LIFE_S, every_s=0.5, what="it was renewed")
        ended = client.http.now_s() + LIFE_S + 1
        await eventually(
            lambda: client.http.now_s() > ended, within_s=2 * LIFE_S, every_s=1.0, what="it ended"
        )
        before = client.session
        assert (await client.me()).handle == "ada"
        assert client.session.refresh_token != before.refresh_token
