"""Limits as clients meet them: 429 with `Retry-After`, and through for whoever obeys."""

import httpx
import pytest

from libs.wire.records import Role
from services.gateway.tests.edge import CHANNEL, Edge, edge
from services.gateway.tests.fakes import ident

OTHER = "0" * 25 + "2"


def path(channel: str = CHANNEL) -> str:
    return f"/v1/channels/{channel}/messages"


async def post(it: Edge, channel: str = CHANNEL, user: str = "ann") -> httpx.Response:
    return await it.client.post(path(channel), json={"text": "hi"}, headers=it.bearer(user))


async def posted(it: Edge, count: int, channel: str = CHANNEL, user: str = "ann") -> list[int]:
    """The statuses of so many posts."""
    return [(await post(it, channel, user)).status_code for _ in range(count)]


def is_limited(reply: httpx.Response) -> bool:
    """Whether a limit refused, as it should."""
    if reply.status_code != 429:
        return False
    told = reply.json()
    assert (told["code"], told["retry"]) == ("limit_hit", "yes")
    assert "at once, then" in told["detail"]
    assert reply.headers["retry-after"] == "1"
    return True


@pytest.mark.parametrize(("times", "granted"), [(1, 80), (2, 60), (10, 28)])
async def test_pages_over_the_rate_are_refused(times: int, granted: int) -> None:
    """Of 80 pages at 1, 2 and 10 a second: the burst of 20 and one a second more."""
    async with edge() as it:
        it.channel()
        replies = []
        for _ in range(80):
            replies.append(await it.get(path(), limit=1))
            it.clock.advance(1 / times)
        assert sum(reply.status_code == 200 for reply in replies) == pytest.approx(granted, abs=2)
        assert all(reply.status_code == 200 or is_limited(reply) for reply in replies)


async def test_who_waits_as_told_gets_each_page() -> None:
    async with edge(pages_burst=1) as it:
        it.channel()
        for _ in range(5):
            assert (await it.get(path())).status_code == 200
            refused = await it.get(path())
            assert is_limited(refused)
            it.clock.advance(int(refused.headers["retry-after"]))


async def test_pages_of_other_clients_and_channels_are_served() -> None:
    async with edge(pages_burst=1) as it:
        it.channel()
        it.channel(OTHER)
        assert (await it.get(path())).status_code == 200
        assert is_limited(await it.get(path()))
        assert (await it.get(path(OTHER))).status_code == 200
        assert (await it.get(path(), "bob")).status_code == 200
        other_device = it.bearer("ann", sid=ident("another"))
        assert (await it.client.get(path(), headers=other_device)).status_code == 200


async def test_who_may_not_read_is_told_so_however_often() -> None:
    async with edge(pages_burst=1) as it:
        it.channel()
        it.members.refusals["ann", CHANNEL] = "banned"
        assert [(await it.get(path())).json()["code"] for _ in range(3)] == ["banned"] * 3


@pytest.mark.parametrize(("times", "granted"), [(1, 80), (2, 45), (10, 13)])
async def test_posts_of_a_member_over_the_rate_are_refused(times: int, granted: int) -> None:
    """Of 80 posts at 1, 2 and 10 a second: the burst of 5 and one a second more."""
    async with edge() as it:
        it.channel()
        replies = []
        for _ in range(80):
            replies.append(await post(it))
            it.clock.advance(1 / times)
        taken = sum(reply.status_code == 201 for reply in replies)
        assert taken == pytest.approx(granted, abs=2)
        assert all(reply.status_code == 201 or is_limited(reply) for reply in replies)
        assert len(it.chat.heard) == taken


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_owner_and_admins_post_faster_and_cost_no_question_each(role: Role) -> None:
    async with edge() as it:
        it.channel()
        it.members.topics[CHANNEL] = "channel-log-001"
        it.members.roles[ident("ann"), CHANNEL] = role
        assert await posted(it, 62) == [201] * 60 + [429] * 2
        it.clock.advance(1)
        assert await posted(it, 31) == [201] * 30 + [429]
        assert it.members.batches == [1]


async def test_a_role_counts_in_its_channel_only() -> None:
    async with edge() as it:
        it.channel()
        it.channel(OTHER)
        it.members.roles[ident("ann"), CHANNEL] = "owner"
        assert await posted(it, 10) == [201] * 10
        assert await posted(it, 6, OTHER) == [201] * 5 + [429]
        assert await posted(it, 6, user="bob") == [201] * 5 + [429]


async def test_who_keeps_to_a_members_rate_costs_no_question() -> None:
    """The pool of the channel is asked for once, and nothing about who posts."""
    async with edge() as it:
        it.channel()
        it.members.topics[CHANNEL] = "channel-log-001"
        for _ in range(3):
            assert await posted(it, 5) == [201] * 5
            # Longer than a yes is remembered.
            it.clock.advance(100)
        assert it.members.batches == [1]


async def test_while_nobody_can_say_the_role_the_members_rate_counts() -> None:
    async with edge() as it:
        it.channel()
        it.members.roles[ident("ann"), CHANNEL] = "owner"
        it.members.is_away = True
        assert await posted(it, 7) == [201] * 5 + [429] * 2
        it.members.is_away = False
        assert await posted(it, 7) == [201] * 7


async def test_an_owner_who_was_remembered_stays_one_while_nobody_can_say_more() -> None:
    # Old enough to be asked about, and not so long that changes are silent.
    async with edge(access_remembered_s=2.0) as it:
        it.channel()
        it.members.roles[ident("ann"), CHANNEL] = "owner"
        assert await posted(it, 10) == [201] * 10
        it.members.is_away = True
        it.clock.advance(3)
        assert await posted(it, 10) == [201] * 10


async def test_an_admin_who_is_one_no_more_has_the_members_rate_soon() -> None:
    async with edge() as it:
        it.channel()
        it.members.roles[ident("ann"), CHANNEL] = "admin"
        assert await posted(it, 10) == [201] * 10
        it.members.roles[ident("ann"), CHANNEL] = "member"
        await it.change("ann")

        async def answered() -> str:
            return str((await post(it)).status_code)

        await it.until(answered, "429")
